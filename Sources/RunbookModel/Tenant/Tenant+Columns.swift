extension Tenant {
    /// A column's value as text: `id`, `schema`, `url` or a label; nil when the tenant has none.
    package func value(of column: String) -> String? {
        switch column {
        case "id": id
        case "schema": schema
        case "url": url?.revealed
        default: labels[column]
        }
    }

    /// Whether each label has one of its values.
    package func matches(_ match: [String: [String]]) -> Bool {
        match.allSatisfy { label, values in value(of: label).map(values.contains) ?? false }
    }
}

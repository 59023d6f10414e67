import FoundationEssentials

/// Reads one tenant from what a source prints: a line of JSON, or a row of columns.
///
/// `id` is required, `url` and `schema` are known, every other value is a label. No error repeats a value: it may hold a
/// password.
package enum TenantLine {
    /// Reads NDJSON, one tenant a line.
    package static func tenants(lines text: some Collection<UInt8>) throws(TenantFinding) -> [Tenant] {
        var tenants: [Tenant] = []
        // Blank lines count, as they do where a person looks for the line.
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            if let tenant = try tenant(json: line, number: index + 1) { tenants.append(tenant) }
        }
        return tenants
    }

    /// Reads one line of NDJSON; numbers and truth values become text, null counts as absent.
    ///
    /// - Parameter number: 1-based, for errors.
    /// - Returns: nil for a line of white space.
    package static func tenant(json line: some Collection<UInt8>, number: Int) throws(TenantFinding) -> Tenant? {
        guard let text = String(validating: line, as: UTF8.self) else {
            throw finding(number, "is not UTF-8", "print UTF-8")
        }
        guard text.contains(where: { !$0.isWhitespace }) else { return nil }
        let members: [String: Scalar]
        do {
            members = try JSONDecoder().decode([String: Scalar].self, from: Data(text.utf8))
        } catch DecodingError.typeMismatch(_, let context) where !context.codingPath.isEmpty {
            throw finding(
                number, "has a \(shown(context.codingPath)) that is no text, number or truth value",
                "print one flat object for each tenant")
        } catch {
            throw finding(number, "is no JSON object", #"print one object for each tenant, as in {"id": "acme"}"#)
        }
        guard nameCount(of: text) == members.count else {
            throw finding(number, "gives a name twice", "give each value a name of its own")
        }
        return try tenant(members.mapValues(\.text), number, "line")
    }

    /// Reads one row of a query; null counts as absent.
    ///
    /// - Parameter number: 1-based, for errors.
    package static func tenant(row: [(column: String, text: String?)], number: Int) throws(TenantFinding) -> Tenant {
        var members: [String: String?] = [:]
        for (column, text) in row where members.updateValue(text, forKey: column) != nil {
            throw TenantFinding(
                .source, "the query has two columns \(TenantID.shown(column))",
                remedy: "give one of them another name with AS")
        }
        return try tenant(members, number, "row")
    }

    /// The same for the further rows of a query, whose columns were looked at with the first.
    package static func tenant(
        further columns: [String], _ value: (Int) -> String?, number: Int
    ) throws(TenantFinding) -> Tenant {
        var tenant = Tenant(id: "")
        var hasID = false
        for (index, column) in columns.enumerated() {
            guard let text = value(index) else { continue }
            switch column {
            case "id":
                tenant.id = text
                hasID = true
            case "schema": tenant.schema = text
            case "url": tenant.url = Redacted(text)
            default: tenant.labels[column] = text
            }
        }
        // What is wrong is told in one place.
        guard hasID, tenant.url?.revealed.isEmpty != true else {
            return try self.tenant(
                row: columns.enumerated().map { (column: $0.element, text: value($0.offset)) }, number: number)
        }
        return tenant
    }

    private static func tenant(
        _ members: [String: String?], _ number: Int, _ noun: String
    ) throws(TenantFinding) -> Tenant {
        var labels = members.compactMapValues(\.self)
        guard let id = labels.removeValue(forKey: "id") else {
            let nearest =
                NearestName.of("id", in: members.keys.sorted()).map { "; \(TenantID.shown($0)) is a label" } ?? ""
            throw TenantFinding(
                .source, "\(noun) \(number) of the tenants has no \"id\"\(nearest)", remedy: "let the source give one")
        }
        let url = labels.removeValue(forKey: "url")
        if url?.isEmpty == true {
            throw TenantFinding(
                .source, tenant: id, "its \"url\" is empty", remedy: "let the source give one, or null for none")
        }
        let schema = labels.removeValue(forKey: "schema")
        return Tenant(id: id, schema: schema, url: url.map(Redacted.init), labels: labels)
    }

    /// How many members a flat object has, repeated ones included, of which the decoder keeps one: each has one colon.
    private static func nameCount(of object: String) -> Int {
        var count = 0
        var isInString = false
        var isEscaped = false
        for byte in object.utf8 {
            switch byte {
            case _ where isEscaped: isEscaped = false
            case UInt8(ascii: "\\"): isEscaped = true
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: ":") where !isInString: count += 1
            default: break
            }
        }
        return count
    }

    private static func finding(_ number: Int, _ message: String, _ remedy: String) -> TenantFinding {
        TenantFinding(.source, "line \(number) of the tenants \(message)", remedy: remedy)
    }

    private static func shown(_ path: [any CodingKey]) -> String {
        path.first.map { TenantID.shown($0.stringValue) } ?? "value"
    }

    /// A JSON value that is no array and no object.
    private struct Scalar: Decodable {
        let text: String?

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                text = nil
            } else if let string = try? value.decode(String.self) {
                text = string
            } else if let truth = try? value.decode(Bool.self) {
                text = truth ? "true" : "false"
            } else if let integer = try? value.decode(Int64.self) {
                text = String(integer)
            } else if let number = try? value.decode(Decimal.self) {
                text = number.description
            } else {
                let context = DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "")
                throw DecodingError.typeMismatch(String.self, context)
            }
        }
    }
}

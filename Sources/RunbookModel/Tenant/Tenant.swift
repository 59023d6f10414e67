/// One isolated customer, as its source describes it.
package struct Tenant: Sendable, Hashable, Identifiable {
    package var id: String
    package var schema: String?
    package var url: Redacted?
    /// Every other column of the source, as text.
    package var labels: [String: String]

    package init(id: String, schema: String? = nil, url: Redacted? = nil, labels: [String: String] = [:]) {
        self.id = id
        self.schema = schema
        self.url = url
        self.labels = labels
    }
}

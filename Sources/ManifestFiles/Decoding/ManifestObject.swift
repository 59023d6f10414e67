/// An object of the manifest whose keys are all known and stand there once.
struct ManifestObject {
    let field: ManifestField
    /// Every name that stands in it, unknown ones too.
    let names: Set<String>
    private let fields: [String: ManifestField]

    init(field: ManifestField, names: Set<String>, fields: [String: ManifestField]) {
        self.field = field
        self.names = names
        self.fields = fields
    }

    /// The field under a key; nil when it is absent, or when variables left nothing of it.
    subscript(_ key: String) -> ManifestField? {
        guard let field = fields[key], !field.isEmptied else { return nil }
        return field
    }

    /// The field under a key; its absence is reported.
    func required(_ key: String, remedy: String? = nil) -> ManifestField? {
        if let field = self[key] { return field }
        field.report("\"\(key)\" is missing", remedy: remedy)
        return nil
    }

    /// Reports each of the keys that is here.
    func refuse(_ keys: [String], _ message: String, remedy: String? = nil) {
        for key in keys { self[key]?.report(message, remedy: remedy) }
    }
}

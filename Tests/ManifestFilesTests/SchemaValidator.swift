@testable import ManifestFiles

/// Validates by JSON Schema, draft 2020-12, as far as `muster.schema.json` uses it.
///
/// A keyword that it does not know is an error, so that the schema cannot say what nobody checks.
struct SchemaValidator {
    struct UnknownKeyword: Error {
        var name: String
    }

    let root: JSONNode

    init(_ text: String) throws { root = try JSONParser.parse(text) }

    /// The instance's paths with what is wrong there; empty means valid.
    func problems(of instance: JSONNode) throws -> [String] { try check(instance, root, "$") }

    private func isValid(_ instance: JSONNode, _ schema: JSONNode) throws -> Bool {
        try check(instance, schema, "").isEmpty
    }

    private func check(_ instance: JSONNode, _ schema: JSONNode, _ path: String) throws -> [String] {
        guard case .object(let keywords) = schema.value else {
            throw UnknownKeyword(name: "a schema that is no object")
        }
        let named = Dictionary(uniqueKeysWithValues: keywords.map { ($0.name, $0.value) })
        return try keywords.flatMap { keyword in
            try check(instance, keyword.name, keyword.value, beside: named, path)
        }
    }

    // swift-format-ignore
    private func check(
        _ instance: JSONNode, _ keyword: String, _ value: JSONNode, beside schema: [String: JSONNode], _ path: String
    ) throws -> [String] {
        func unless(_ isFine: Bool) -> [String] { isFine ? [] : ["\(path): \(keyword)"] }
        let members = instance.members
        switch keyword {
        case "$schema", "title", "description", "$defs", "then", "else": return []
        case "$ref":
            let name = value.text?.split(separator: "/").last.map(String.init) ?? ""
            guard let target = root.members?["$defs"]?.members?[name] else { throw UnknownKeyword(name: name) }
            return try check(instance, target, path)
        case "type":
            let types = value.elements?.compactMap(\.text) ?? [value.text ?? ""]
            return unless(types.contains { instance.types.contains($0) })
        case "const": return unless(instance.plain == value.plain)
        case "enum": return unless(value.elements?.contains { $0.plain == instance.plain } == true)
        case "anyOf": return unless(try value.elements?.contains { try isValid(instance, $0) } == true)
        case "oneOf": return unless(try value.elements?.filter { try isValid(instance, $0) }.count == 1)
        case "allOf": return try (value.elements ?? []).flatMap { try check(instance, $0, path) }
        case "not": return unless(try !isValid(instance, value))
        case "if":
            let branch = schema[try isValid(instance, value) ? "then" : "else"]
            return try branch.map { try check(instance, $0, path) } ?? []
        case "required":
            guard let members else { return [] }
            return unless(value.elements?.allSatisfy { members[$0.text ?? ""] != nil } == true)
        case "dependentRequired":
            guard let members else { return [] }
            return unless(value.members?.allSatisfy { name, needed in
                members[name] == nil || needed.elements?.allSatisfy { members[$0.text ?? ""] != nil } == true
            } == true)
        case "properties":
            return try (value.members ?? [:]).flatMap { name, schema in
                try members?[name].map { try check($0, schema, path + "." + name) } ?? []
            }
        case "additionalProperties":
            let others = (members ?? [:]).filter { schema["properties"]?.members?[$0.key] == nil }
            if case .boolean(false) = value.value { return unless(others.isEmpty) }
            return try others.flatMap { try check($0.value, value, path + "." + $0.key) }
        case "propertyNames":
            return try (members ?? [:]).keys.flatMap { name in
                try check(JSONNode(value: .string(JSONString(name)), range: 0..<0), value, path + "." + name)
            }
        case "maxProperties": return unless(members.map { $0.count <= value.integer } ?? true)
        case "items": return try (instance.elements ?? []).flatMap { try check($0, value, path + "[]") }
        case "minItems": return unless(instance.elements.map { $0.count >= value.integer } ?? true)
        case "maxItems": return unless(instance.elements.map { $0.count <= value.integer } ?? true)
        case "uniqueItems":
            guard let elements = instance.elements else { return [] }
            return unless(Set(elements.map(\.plain)).count == elements.count)
        case "minimum": return unless(instance.number.map { $0 >= value.number ?? .nan } ?? true)
        case "maximum": return unless(instance.number.map { $0 <= value.number ?? .nan } ?? true)
        case "minLength": return unless(instance.text.map { $0.unicodeScalars.count >= value.integer } ?? true)
        case "maxLength": return unless(instance.text.map { $0.unicodeScalars.count <= value.integer } ?? true)
        case "pattern":
            let pattern = try Regex(value.text ?? "").matchingSemantics(.unicodeScalar)
            return unless(instance.text.map { $0.firstMatch(of: pattern) != nil } ?? true)
        default: throw UnknownKeyword(name: keyword)
        }
    }
}

extension JSONNode {
    var text: String? { if case .string(let string) = value { string.text } else { nil } }
    var elements: [JSONNode]? { if case .array(let elements) = value { elements } else { nil } }
    var number: Double? { if case .number(let spelling) = value { JSONNumber.real(spelling) } else { nil } }
    var integer: Int { if case .number(let spelling) = value { JSONNumber.integer(spelling) ?? 0 } else { 0 } }

    var members: [String: JSONNode]? {
        guard case .object(let members) = value else { return nil }
        return Dictionary(members.map { ($0.name, $0.value) }) { _, last in last }
    }

    fileprivate var types: [String] {
        switch value {
        case .null: ["null"]
        case .boolean: ["boolean"]
        case .number(let spelling): JSONNumber.integer(spelling) == nil ? ["number"] : ["number", "integer"]
        case .string, .broken: ["string"]
        case .array: ["array"]
        case .object: ["object"]
        }
    }

    /// Equal for values that are equal; numbers by value.
    var plain: String {
        switch value {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .number: "\(number ?? .nan)"
        case .string(let string): string.source.debugDescription
        case .array(let elements): "[" + elements.map(\.plain).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { $0.name.debugDescription + ":" + $0.value.plain }.sorted().joined(separator: ",") + "}"
        case .broken: "broken"
        }
    }
}

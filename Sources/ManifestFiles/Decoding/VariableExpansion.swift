import RunbookModel

/// Fills environment variables into the strings of a manifest: `${NAME}`, `${NAME:-default}`; `$${` stands for `${`.
struct VariableExpansion {
    let environment: [String: String]
    let log: DiagnosticLog
    /// What came out of the environment, whole numbers and empty values aside.
    private(set) var secrets: Set<String> = []

    init(environment: [String: String], log: DiagnosticLog) {
        self.environment = environment
        self.log = log
    }

    /// Expands every string value below a node; names of members stay as they are.
    mutating func expand(_ node: JSONNode, path: String = "") -> JSONNode {
        var node = node
        let field = ManifestField(node: node, path: path, log: log)
        switch node.value {
        case .string(var string):
            if let text = expanded(string.source, of: field) {
                string.text = text
                node.value = .string(string)
            } else {
                node.value = .broken
            }
        case .array(let elements):
            node.value = .array(elements.enumerated().map { expand($1, path: "\(path)[\($0)]") })
        case .object(let members):
            node.value = .object(
                members.map { member in
                    var member = member
                    member.value = expand(member.value, path: ManifestField.path(to: member.name, in: path))
                    return member
                })
        case .null, .boolean, .number, .broken: break
        }
        return node
    }

    /// nil when it was reported what is wrong.
    private mutating func expanded(_ source: String, of field: ManifestField) -> String? {
        var text = ""
        var isBroken = false
        var rest = source[...]
        while let dollar = rest.firstRange(of: "${") {
            let before = rest[..<dollar.lowerBound]
            rest = rest[dollar.upperBound...]
            if before.hasSuffix("$") {
                text += before.dropLast() + "${"
                continue
            }
            guard let end = rest.firstIndex(of: "}") else {
                field.report("a \"${\" without its \"}\"", remedy: "for the characters themselves write \"$${\"")
                return nil
            }
            let value = value(of: rest[..<end], for: field)
            text += before + (value ?? "")
            isBroken = isBroken || value == nil
            rest = rest[rest.index(after: end)...]
        }
        return isBroken ? nil : text + rest
    }

    private mutating func value(of reference: Substring, for field: ManifestField) -> String? {
        var name = reference
        var fallback: Substring?
        if let separator = reference.firstRange(of: ":-") {
            name = reference[..<separator.lowerBound]
            fallback = reference[separator.upperBound...]
        }
        guard isVariableName(name) else {
            field.report("\"${\(reference)}\" names no variable", remedy: "write ${NAME} or ${NAME:-default}")
            return nil
        }
        // As in a shell, a default stands for an empty value too.
        if let value = environment[String(name)], !value.isEmpty || fallback == nil {
            if !value.isEmpty, Int(value) == nil { secrets.insert(value) }
            return value
        }
        if let fallback { return String(fallback) }
        let nearest = NearestName.of(String(name), in: environment.keys.sorted())
        field.report(
            "the variable \(name) is not set",
            remedy: nearest.map { "did you mean \($0)?" } ?? "set it, or write ${\(name):-default}")
        return nil
    }

    private func isVariableName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= first) else { return false }
        return name.utf8.allSatisfy {
            $0 == UInt8(ascii: "_") || UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
        }
    }
}

/// What the names that a manifest gives may be made of.
enum NameRule {
    case workspace
    case runbook
    case key
    case phase
    case setting

    var noun: String {
        switch self {
        case .workspace: "workspace name"
        case .runbook: "runbook id"
        case .key: "idempotency key"
        case .phase: "phase name"
        case .setting: "setting name"
        }
    }

    /// The rule as a sentence when the name breaks it; nil when it does not.
    func problem(_ name: String) -> String? {
        switch self {
        case .workspace, .runbook, .phase: plain(name, also: "._-", spoken: "\".\", \"_\" and \"-\"")
        // No "@" and no blanks: people and scripts write `runbook@key`.
        case .key: plain(name, also: "._-+:", spoken: "\".\", \"_\", \"-\", \"+\" and \":\"")
        case .setting: settingProblem(name)
        }
    }

    private func plain(_ name: String, also extra: String, spoken: String) -> String? {
        let isPlain = name.utf8.allSatisfy { isLetter($0) || isDigit($0) || extra.utf8.contains($0) }
        let isFine = isPlain && name.utf8.count <= 100 && name.utf8.first.map { isLetter($0) || isDigit($0) } == true
        return isFine ? nil : "it takes letters, digits, \(spoken), begins with a letter or digit and has at most 100"
    }

    /// PostgreSQL takes a setting of one's own only as identifiers with dots between them (guc.c,
    /// `valid_custom_variable_name`).
    private func settingProblem(_ name: String) -> String? {
        let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isDotted =
            parts.count > 1
            && parts.allSatisfy { part in
                guard let first = part.first, isLetter(first) || first == UInt8(ascii: "_") else { return false }
                return part.allSatisfy {
                    isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "$")
                }
            }
        guard isDotted else { return "write identifiers with a dot between them, such as \"app.tenant_id\"" }
        return name.lowercased().hasPrefix("muster.") ? "\"muster.\" is Muster's own; choose another prefix" : nil
    }

    private func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 }

    private func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
}

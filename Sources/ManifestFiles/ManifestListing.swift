package import RunbookModel

/// Tells which runbooks a manifest lists, from its text alone: its files and its ledger are not looked at, and what is wrong
/// with it is passed over. It is how a run's own manifest, kept in the ledger, is asked what the run was to do.
package enum ManifestListing {
    /// - Parameter environment: where `${NAME}` comes from; what it does not fill in is left out.
    package static func runbooks(in text: String, environment: [String: String]) -> [ListedRunbook] {
        guard let tree = try? JSONParser.parse(text) else { return [] }
        var expansion = VariableExpansion(environment: environment, log: DiagnosticLog(file: "", text: text))
        let root = expansion.expand(tree)
        var phases: [String] = []
        if case .array(let nodes)? = root.member("phases") { phases = nodes.compactMap(\.text) }
        let first = phases.first ?? ManifestDecoder.defaultPhases[0]
        guard case .array(let nodes)? = root.member("runbooks") else { return [] }
        return nodes.compactMap { node in
            guard let id = node.text("id", else: nil), let key = node.text("key", else: "1"),
                let phase = node.text("phase", else: first), let scope = node.text("scope", else: "tenant")
            else { return nil }
            return ListedRunbook(
                identity: Identity(runbook: id, key: key), phase: phase,
                scope: RunbookScope(rawValue: scope) ?? .tenant,
                hasMatch: node.member("match") != nil)
        }
    }
}

extension JSONNode {
    fileprivate var text: String? {
        if case .string(let string) = value { string.text } else { nil }
    }

    fileprivate func member(_ name: String) -> JSONValue? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.name == name }?.value.value
    }

    /// - Parameter other: what an absent member stands for.
    fileprivate func text(_ name: String, else other: String?) -> String? {
        switch member(name) {
        case nil: other
        case .string(let string): string.text.isEmpty ? other : string.text
        default: nil
        }
    }
}

import RunbookModel

/// What the order of the runbooks depends on, also of those that could not be read otherwise.
struct DeclaredRunbook {
    var field: ManifestField
    var idField: ManifestField?
    var id: String?
    var phaseField: ManifestField?
    var phase: String?
    var after: [ManifestField]
    /// Whether it uses a feature that is not built: that was reported, and says enough.
    var isLater: Bool
}

extension ManifestDecoder {
    /// The positions in the order of execution; the declared order after anything was reported.
    func order(_ declared: [DeclaredRunbook], phases: [String]) -> [Int] {
        var first: [String: DeclaredRunbook] = [:]
        for runbook in declared {
            guard let id = runbook.id, let field = runbook.idField else { continue }
            if let earlier = first[id] {
                field.report("the id \(field.shown) is here twice", remedy: "the first is \(earlier.field.path)")
            } else {
                first[id] = runbook
            }
        }
        let positions = Dictionary(phases.enumerated().map { ($1, $0) }) { first, _ in first }
        for runbook in declared { checkAfter(runbook, among: first, positions) }

        let entries = declared.enumerated().map { position, runbook in
            RunbookOrder.Entry(
                // An id that cannot be read is nobody's.
                id: runbook.id ?? "\(position) ", phase: runbook.phase.flatMap { positions[$0] } ?? 0,
                after: runbook.after.compactMap(\.plainText))
        }
        for cycle in RunbookOrder.cycles(in: entries) where cycle.count > 2 {
            guard let field = first[cycle[0]]?.after.first(where: { $0.plainText == cycle[1] }) else { continue }
            field.report("a cycle: " + cycle.joined(separator: " after "), remedy: "take one of these out")
        }
        return RunbookOrder.positions(of: entries) ?? Array(declared.indices)
    }

    private func checkAfter(
        _ runbook: DeclaredRunbook, among known: [String: DeclaredRunbook], _ positions: [String: Int]
    ) {
        var seen: Set<String> = []
        for field in runbook.after {
            guard let id = field.text() else { continue }
            if !seen.insert(id).inserted { field.report("\(field.shown) is here twice") }
            if id == runbook.id {
                field.report("comes after itself", remedy: "take it out")
                continue
            }
            guard let before = known[id] else {
                field.report("unknown runbook \(field.shown)", remedy: suggestion(for: id, among: known.keys.sorted()))
                continue
            }
            if let own = runbook.phase, let other = before.phase, let ownPosition = positions[own],
                let otherPosition = positions[other], otherPosition > ownPosition
            {
                field.report(
                    "\(field.shown) is of the later phase \"\(other)\", this is of \"\(own)\"",
                    remedy: "move one of them")
            }
        }
    }
}

extension ManifestField {
    /// The text, if it is one; without a report.
    var plainText: String? {
        if case .string(let string) = node.value { string.text } else { nil }
    }
}

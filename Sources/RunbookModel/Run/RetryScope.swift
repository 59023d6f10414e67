/// What of a run is run again: the places in which it did not get everything done, and what it was asked to do there.
package struct RetryScope: Sendable, Hashable {
    /// Runbooks of the run that the manifest still lists.
    package var runbooks: [Identity]
    /// Runbooks of the run that the manifest lists no more.
    package var gone: [ListedRunbook]

    /// - Parameters:
    ///   - listed: the runbooks of the manifest that the run ran.
    ///   - phase: the run's; nil: all.
    ///   - selection: the run's, as `words(of:)` wrote it.
    ///   - manifest: the runbooks of today.
    ///   - onlyWorkspace: nothing but the workspace's own job is left.
    package init(
        listed: [ListedRunbook], phase: String?, selection: String, manifest: [Runbook], onlyWorkspace: Bool
    ) {
        let names = Self.runbooks(in: selection)
        let asked = listed.filter { runbook in
            (phase == nil || phase == runbook.phase) && (!onlyWorkspace || runbook.scope == .workspace)
                && (names.isEmpty || names.contains(runbook.identity.runbook)
                    || names.contains(runbook.identity.description))
        }
        let known = Set(manifest.map(\.identity))
        runbooks = asked.map(\.identity).filter(known.contains)
        gone = asked.filter { !known.contains($0.identity) }
    }

    /// A selection as it is kept with a run and read by people; the runbooks come first.
    ///
    /// - Parameter naming: of a retry: the tenants that its caller named.
    package static func words(
        of selection: Selection, retryOf run: String? = nil, naming tenants: [String] = [], undoing: String? = nil
    ) -> String {
        if let undoing {
            // Its runbooks are what that run did.
            var rest = selection
            rest.runbooks = []
            let words = words(of: rest, retryOf: run, naming: tenants)
            return "what run \(undoing) did" + (words.isEmpty ? "" : ", ") + words
        }
        var words = selection.runbooks.sorted().map { "runbook \($0)" }
        if let run {
            // Its tenants are those of the run: thousands, perhaps.
            words.append("retry of run \(run)")
            words += tenants.sorted().map { "tenant \($0)" }
        } else {
            words += selection.tenants.sorted().map { "tenant \($0)" }
        }
        words += selection.match.sorted { $0.key < $1.key }.map { "\($0.key) in \($0.value.sorted())" }
        words += selection.skippedTenants.sorted().map { "not \($0)" }
        return words.joined(separator: ", ")
    }

    /// The runbooks that a run's selection names. A tenant's name may hold anything, and stands behind them.
    private static func runbooks(in selection: String) -> Set<String> {
        let words = selection.split(separator: ", ").prefix { $0.hasPrefix("runbook ") }
        return Set(words.map { String($0.dropFirst("runbook ".count)) })
    }
}

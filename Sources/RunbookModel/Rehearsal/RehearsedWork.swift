/// What one runbook took in one tenant's rehearsal.
package struct RehearsedWork: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// Another one's failure blocks it: it takes nothing, in apply either.
        case notRun
        case transaction
        /// Plain twins of concurrent statements.
        ///
        /// - Parameters:
        ///   - build: what these took.
        ///   - statements: how many there are.
        ///   - builds: those that build an index: taking away a leftover that is not there commits nothing.
        ///   - asksBefore: whether apply looks first what became of an earlier attempt.
        case plainBuild(build: Duration, statements: Int, builds: Int, asksBefore: Bool)
    }

    package var runbook: Identity
    /// All of it.
    package var duration: Duration
    package var kind: Kind

    package init(runbook: Identity, duration: Duration, kind: Kind) {
        self.runbook = runbook
        self.duration = duration
        self.kind = kind
    }

    init(of runbook: Runbook, took duration: Duration, _ end: RehearsalStepEnd) {
        self.init(runbook: runbook.identity, duration: duration, kind: .transaction)
        guard runbook.isRehearsedAsPlainBuild, case .sql(let script) = runbook.action else { return }
        var build = duration
        if case .succeeded(_, let plainBuild?) = end { build = plainBuild }
        kind = .plainBuild(
            build: build, statements: script.statements.count,
            builds: script.statements.count { $0.plainTwin?.isBuild == true },
            asksBefore: runbook.repeatable || runbook.verify != nil)
    }
}

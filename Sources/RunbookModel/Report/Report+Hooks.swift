extension Report {
    /// The report with how the hooks around the run ended. What became of the data stays: a `before_run` that failed has
    /// ended its run, any other that did not end well makes 0 a 3.
    package func taking(_ hooks: [HookReport]) -> Report {
        var report = self
        report.hooks = hooks
        let exit = ExitStatus(rawValue: Int32(exitCode)) ?? .failed
        let opening = hooks.first { $0.hook == .beforeRun && $0.runID == run?.id && $0.state == .failed }
        if let opening, exit != .interrupted, exit != .terminated {
            let isRetryable = opening.exitCode == Int(ExitStatus.tryAgain.rawValue)
            report.set(isRetryable ? .tryAgain : .failed)
            report.retryable = isRetryable
            report.outcome = .failed
        } else if exit == .done, hooks.contains(where: { $0.state != .succeeded }) {
            report.set(.partial)
        }
        return report
    }

    private mutating func set(_ exit: ExitStatus) {
        exitCode = Int(exit.rawValue)
        ok = exit == .done
    }
}

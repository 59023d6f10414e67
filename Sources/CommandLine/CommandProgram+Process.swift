import DatabaseAccess
import Glibc
import RunbookModel
import RunbookRunner

extension CommandProgram {
    /// Runs it as the process that it is in, on the calling thread, and ends the process.
    ///
    /// Nothing here starts a thread of Swift's pool: a program that ends at once would pay for it twice.
    package static func runProcess() -> Never {
        let signals = ProcessSignals()
        WorkerThread.run {
            let context = CommandContext.ofProcess(signals)
            let status = await CommandProgram(context).run()
            // Last, since servers take their time to part with a session: what this process still does would wait for them.
            context.service.opener.end()
            // Everything was written by write(2), and the libraries of libpq need no goodbye. Only what looks for leaks does
            // so on the way out.
            #if DEBUG
                exit(status.rawValue)
            #else
                _exit(status.rawValue)
            #endif
        }
        // Not reached: the work above ends the process.
        _exit(ExitStatus.failed.rawValue)
    }
}

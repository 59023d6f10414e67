import RunbookModel

/// How one try of an action ended.
enum ActionEnd {
    /// - counted: the ledger's row counts this try already.
    case succeeded(rows: Int?, output: String?, counted: Bool)
    /// It was done before; nothing was run.
    ///
    /// - inThisRun: by a runner of this run that may have died before it could say so.
    case done(inThisRun: Bool)
    /// The lock is held by somebody else.
    case busy
    /// Another program has locked the tenant's file; nothing of the work remains.
    case fileBusy
    /// Batches were committed, and it goes on with the next when the connection is there again (with its loss as the
    /// failure), or the lock is.
    case paused(Failure?, fileIsBusy: Bool)
    /// A batch failed; those before it stay.
    ///
    /// - rows: of those; nil when there are none.
    case batchFailed(Failure, rows: Int?, counted: Bool)
    /// Another runner has this job now.
    case superseded
    case failed(Failure, isTransient: Bool, output: String?, counted: Bool)
    /// The body under the finished key is another one; or the tenant as a whole is not the one that the ledger means,
    /// and nothing may be run in it.
    case drifted(Failure, ofTenant: Bool)
    /// Its end was not seen.
    case unknown(Failure, output: String?, counted: Bool)
    /// No connection could be made, so nothing was tried.
    case unreachable(Failure)
    /// The connection was lost; the next claim, once it has the lock, finds out what became of the work.
    case lost(Failure)
    /// The hook says that it did nothing and that a later try may succeed.
    case tryAgain(Failure)
    /// We stopped it; nothing of it remains.
    case interrupted
}

import RunbookModel

/// One engine's way to do one batch: claim, where it goes on, statement and receipt in one transaction.
protocol BatchEngine {
    /// Whether the ledger's row is the receipt, and counts the attempt.
    var receiptsAreLocal: Bool { get }

    /// Does the next batch.
    ///
    /// - Parameter judge: is asked before the commit whether the batch may stand; a text says why not.
    func perform(_ order: BatchOrder, judge: (BatchAnswer, BatchPosition) -> String?) -> BatchStep

    /// Asks a query of the manifest as the tenant, where nothing can be written; its first value.
    func ask(_ query: SQLScript) throws(BatchProblem) -> BatchQueryValue

    /// How far the furthest replica is behind; nil when there is none.
    func replicationLag() throws(BatchProblem) -> Duration?

    /// Notes in the receipt that it failed, if the receipt is not the ledger's row.
    func close(_ record: BatchEndRecord)
}

/// What the next batch is to be.
struct BatchOrder {
    var size: Int
    /// When its statement is to be ended, if that is before its own limits.
    var limit: Duration?
    /// Its number in this attempt, from 1.
    var number: Int
}

/// What became of one batch.
enum BatchStep {
    /// It was committed; its statement took so long.
    case committed(BatchAnswer, BatchPosition, before: BatchPosition, worked: Duration)
    /// It was rolled back; `position` is where it had begun, if it came so far.
    case failed(BatchTrouble, Failure, BatchPosition?)
    /// Nothing more is to be done now; whatever it began was rolled back, or its end was not seen.
    case ended(ActionEnd)
}

/// A failed attempt, for the receipt.
struct BatchEndRecord {
    var position: BatchPosition
    var number: Int
    var clean: Bool
}

/// Why a query of the manifest gave no answer.
struct BatchProblem: Error {
    var failure: Failure
    /// It was stopped, or the connection is gone.
    var end: ActionEnd?
}

/// What a query of the manifest may answer.
struct BatchQueryValue {
    var boolean: Bool?
    var number: Double?
}

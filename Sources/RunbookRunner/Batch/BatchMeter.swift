import LedgerStore
import RunbookModel

/// Counts the batches of one course, and tells how far it has come: at most one event a second.
struct BatchMeter {
    let course: BatchCourse
    /// Whether the ledger has it from the batches themselves.
    let isLocal: Bool
    private(set) var batches = 0
    /// Where the next one begins; nil while that is not known.
    private(set) var position: BatchPosition?
    private var rowsBefore = 0
    /// Rows still to be done when the course began.
    private var expected: Int?
    private let began = ContinuousClock.now
    private var lastEvent = ContinuousClock.now
    private var lastReason: String?

    init(course: BatchCourse, isLocal: Bool) {
        self.course = course
        self.isLocal = isLocal
    }

    mutating func expect(_ rows: Double?) { expected = rows.flatMap { Int(exactly: $0.rounded()) } }

    mutating func count(_ position: BatchPosition, before: BatchPosition) {
        if batches == 0 { rowsBefore = before.rows }
        batches += 1
        self.position = position
        guard !isLocal else { return }
        course.context.board.post(
            BatchNews(
                job: course.ticket.job, identity: course.ticket.identity, checksum: course.ticket.checksum,
                position: position, batches: batches))
    }

    /// Sends an event when it is time for one, or when what is waited for has changed.
    mutating func report(size: Int, waitingFor reason: String? = nil) {
        let now = ContinuousClock.now
        guard reason != lastReason || now - lastEvent >= .seconds(1) else { return }
        lastEvent = now
        lastReason = reason
        let tenant = course.ticket.tenant
        course.context.events.send(
            .batch(
                tenant: tenant.isEmpty ? nil : tenant, identity: course.ticket.identity,
                progress: BatchProgress(
                    rows: position?.rows ?? 0, total: expected.map { $0 + rowsBefore }, batches: batches, size: size,
                    cursor: course.context.mask.text(position?.cursor), elapsedMS: (now - began).milliseconds,
                    rowsBefore: rowsBefore, waitingFor: reason)))
    }
}

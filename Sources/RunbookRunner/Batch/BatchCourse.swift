import FoundationEssentials
import LedgerStore
import RunbookModel

/// Batch after batch in one tenant, until there is nothing left, something fails, or the run is to stop.
///
/// The tenant's lock is held throughout. Whatever ends it, what was committed stays, and the next course begins where the
/// last batch ended.
struct BatchCourse {
    let runbook: Runbook
    let work: BatchWork
    let ticket: ClaimTicket
    let context: RunContext

    func run(_ engine: some BatchEngine) -> ActionEnd {
        var pace = BatchPace(size: work.size, target: work.target)
        var watch = CursorWatch()
        var meter = BatchMeter(course: self, isLocal: engine.receiptsAreLocal)
        var throttle = BatchThrottle(course: self)
        var collisions = 0
        do throws(BatchProblem) {
            if let preflight = runbook.preflight { meter.expect(try engine.ask(preflight).number) }
        } catch {
            return error.end ?? failed(error.failure, meter, nil, engine)
        }
        while true {
            do throws(BatchProblem) {
                try throttle.wait(engine) { meter.report(size: pace.size, waitingFor: $0) }
            } catch {
                return error.end ?? failed(error.failure, meter, meter.position, engine)
            }
            guard !mustStop else { return .interrupted }
            let order = BatchOrder(size: pace.size, limit: pace.limit, number: meter.batches + 1)
            let began = ContinuousClock.now
            let step = engine.perform(order) { answer, position in complaint(answer, position, watch) }
            switch step {
            case .committed(let answer, let position, let before, let worked):
                collisions = 0
                if case .moved(let rows, let cursor) = answer {
                    if let cursor { _ = watch.hasSeen(cursor, after: before.cursor) }
                    pace.succeeded(in: ContinuousClock.now - began, worked: worked, wasFull: rows >= order.size)
                    meter.count(position, before: before)
                    meter.report(size: pace.size)
                    if work.pause > .zero { context.stop.pause(work.pause) }
                    continue
                }
                meter.count(position, before: before)
                return .succeeded(rows: position.rows, output: nil, counted: engine.receiptsAreLocal)
            case .ended(let end): return meter.batches > 0 ? end.behindBatches : end
            case .failed(let trouble, let failure, let position):
                guard let answer = next(trouble, &pace, &collisions) else {
                    return failed(failure, meter, position, engine, size: order.size)
                }
                if answer == .giveUp { return failed(failure, meter, position, engine, size: order.size) }
            }
        }
    }

    /// Whether no further batch may begin: the run is to stop, or somebody has cancelled this tenant.
    var mustStop: Bool { context.stop.isStopping || context.cancelled.contains(ticket.tenant) }

    /// nil: trying again would not help.
    private func next(_ trouble: BatchTrouble, _ pace: inout BatchPace, _ collisions: inout Int) -> BatchPace.Answer? {
        switch trouble {
        case .slow: return pace.timedOut()
        case .row: return pace.failed()
        case .statement: return nil
        case .contention:
            collisions += 1
            guard collisions <= runbook.limits.retries else { return nil }
            pace.collided()
            context.stop.pause(RetryDecision.delay(afterTry: collisions, random: .random(in: 0...1)))
            return .tryAgain
        }
    }

    /// Why a batch must not stand.
    private func complaint(_ answer: BatchAnswer, _ position: BatchPosition, _ watch: CursorWatch) -> String? {
        guard case .moved(_, let cursor) = answer else { return nil }
        guard let cursor else {
            guard work.parameters.contains(.cursor) else { return nil }
            return "the statement uses :cursor, but answers none"
        }
        guard work.parameters.contains(.cursor) else {
            return "the statement answers a cursor, but does not use :cursor"
        }
        var watch = watch
        guard watch.hasSeen(cursor, after: position.cursor) else { return nil }
        return cursor == position.cursor
            ? "the cursor stands still at \(cursor)" : "the cursor goes in circles: \(cursor) was there before"
    }

    /// The end of an attempt that failed, with the place where the next one begins.
    private func failed(
        _ given: Failure, _ meter: BatchMeter, _ position: BatchPosition?, _ engine: some BatchEngine, size: Int? = nil
    ) -> ActionEnd {
        let position = position ?? meter.position
        var failure = given
        let rows = position?.rows ?? 0
        let hasMoved = meter.batches > 0 || rows > 0 || position?.cursor != nil
        failure.clean = !hasMoved
        let place = position?.cursor.map { " behind cursor \($0)" } ?? (hasMoved ? "" : " at the beginning")
        var facts = size.map { ["A batch of \($0) \($0 == 1 ? "row" : "rows")\(place)."] } ?? []
        if hasMoved { facts.append("The \(rows) rows before it are kept; the next apply goes on from there.") }
        failure.detail = ([given.detail].compactMap(\.self) + facts).joined(separator: "\n").nilIfEmpty
        if let position, hasMoved {
            engine.close(BatchEndRecord(position: position, number: meter.batches + 1, clean: false))
        }
        return .batchFailed(
            failure, rows: hasMoved ? rows : nil, counted: engine.receiptsAreLocal && meter.batches > 0)
    }
}

extension ActionEnd {
    /// What it means once batches were committed: what was waited for before is over.
    fileprivate var behindBatches: ActionEnd {
        switch self {
        case .busy: .paused(nil, fileIsBusy: false)
        case .fileBusy: .paused(nil, fileIsBusy: true)
        case .lost(let failure), .unreachable(let failure): .paused(failure, fileIsBusy: false)
        default: self
        }
    }
}

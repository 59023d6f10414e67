import LedgerStore
import RunbookModel
import Synchronization
import Testing

@testable import RunbookRunner

@Suite struct JobTrayTests {
    private static func job(_ number: Int, stage: Int = 0) -> ClaimedJob {
        ClaimedJob(tenant: "t\(number)", stage: stage, attempt: 1, fence: number)
    }

    private static func done(_ number: Int, _ state: JobState = .succeeded, nextStage: Int? = nil) -> WorkAnswer {
        .finished(JobResult(job: job(number), state: state, nextStage: nextStage))
    }

    @Sendable private static func assignment(_ job: ClaimedJob) -> Assignment? {
        let member = TenantSet.Member(
            tenant: Tenant(id: job.tenant), target: TenantTarget(url: Redacted("sqlite:/nowhere")))
        return Assignment(job: job, member: member, steps: [], nextStage: nil)
    }

    private static func tray(_ jobs: [ClaimedJob], low: Int? = nil) -> JobTray {
        let tray = JobTray()
        tray.lay(jobs, low: low, assignment: assignment)
        return tray
    }

    @Test func eachResultIsGivenForTheNextJob() {
        let tray = Self.tray([Self.job(1), Self.job(2)])
        #expect(tray.exchange(Self.done(0))?.assignment.job.tenant == "t1")
        #expect(tray.exchange(Self.done(1, .skipped))?.assignment.job.tenant == "t2")
        #expect(tray.exchange(Self.done(2)) == nil, "nothing is left, and the result goes to the desk")
        #expect(tray.takeResults().map(\.job.tenant) == ["t0", "t1"])
        #expect(tray.takeResults().isEmpty)
    }

    @Test func whatGoesOnInItsNextStageIsAResultLikeOthers() {
        let tray = Self.tray([Self.job(1)])
        #expect(tray.exchange(Self.done(0, .queued, nextStage: 1)) != nil)
    }

    @Test(arguments: [JobState.failed, .blocked, .unknown, .cancelled, .queued])
    func whatTheDeskMustHearOfAtOnceGoesThere(state: JobState) {
        let tray = Self.tray([Self.job(1)])
        #expect(tray.exchange(Self.done(0, state)) == nil)
        #expect(tray.exchange(.busy(Self.assignment(Self.job(0))!)) == nil)
        #expect(tray.count == 1)
        #expect(tray.takeResults().isEmpty)
    }

    @Test func aJobOfAnotherPlaceIsTheDesksToGive() {
        let tray = Self.tray([Self.job(1, stage: 1)])
        #expect(tray.exchange(Self.done(0)) == nil)
        #expect(tray.count == 1)
    }

    @Test func moreIsFetchedOnce() {
        let tray = Self.tray((1...4).map { Self.job($0) }, low: 2)
        #expect((0..<4).map { tray.exchange(Self.done($0))?.isLow } == [false, true, false, false])
        tray.lay([Self.job(5)], low: 0, assignment: Self.assignment)
        #expect(tray.exchange(Self.done(4))?.isLow == true, "the last one")
    }

    @Test func whatIsTakenBackIsNotGiven() {
        let tray = Self.tray([Self.job(1), Self.job(2)])
        _ = tray.exchange(Self.done(0))
        let (jobs, results) = tray.clear()
        #expect(jobs.map(\.tenant) == ["t2"])
        #expect(results.map(\.job.tenant) == ["t0"])
        #expect(!tray.isOpen)
        #expect(tray.exchange(Self.done(1)) == nil)
    }

    @Test func aStrangerStaysForTheDesk() {
        let tray = JobTray()
        tray.lay([Self.job(1), Self.job(2)], low: nil) { $0.tenant == "t1" ? nil : Self.assignment($0) }
        #expect(tray.exchange(Self.done(0)) == nil)
        #expect(tray.clear().jobs.map(\.tenant) == ["t1", "t2"])
        #expect(tray.takeResults().isEmpty)
    }

    private final class Hands: Sendable {
        let given = Mutex<[String]>([])
        let back = Mutex<[ClaimedJob]>([])
    }

    @Test func noneIsLostAndNoneGivenTwice() async {
        let count = 2_000
        let tray = Self.tray((1...count).map { Self.job($0) })
        let hands = Hands()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    while let (next, _) = tray.exchange(Self.done(-worker)) {
                        hands.given.withLock { $0.append(next.job.tenant) }
                    }
                }
            }
            group.addTask {
                for _ in 0..<50 {
                    let jobs = Array(tray.clear().jobs)
                    if jobs.count > 100 {
                        tray.lay(jobs, low: nil, assignment: Self.assignment)
                    } else {
                        hands.back.withLock { $0 += jobs }
                    }
                    await Task.yield()
                }
            }
        }
        let all =
            hands.given.withLock(\.self) + hands.back.withLock { $0.map(\.tenant) } + tray.clear().jobs.map(\.tenant)
        #expect(all.count == count)
        #expect(Set(all).count == count)
    }
}

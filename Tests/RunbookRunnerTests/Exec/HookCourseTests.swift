import Foundation
import Testing

@testable import RunbookRunner

/// What is done with a hook at which moment, decided without a process.
struct HookCourseTests {
    private let start = ContinuousClock.now

    private func course(timeout: Int = 10, steps: [HookTeardown.Step]? = nil) -> HookCourse {
        let teardown =
            steps.map { HookTeardown($0, drain: .seconds(1)) }
            ?? HookTeardown([.init(signal: SIGTERM, grace: .seconds(5))], drain: .seconds(1))
        return HookCourse(start: start, timeout: .seconds(timeout), teardown: teardown)
    }

    private func sight(
        _ seconds: Int, ended: Bool = false, closed: Bool = false, interrupted: Bool = false
    ) -> HookCourse.Sight {
        HookCourse.Sight(
            now: start.advanced(by: .seconds(seconds)), hasEnded: ended, isOutputClosed: closed,
            isInterrupted: interrupted)
    }

    @Test func aHookThatEndsIsFinished() {
        var course = course()
        #expect(course.advance(sight(1)) == nil)
        #expect(course.advance(sight(2, ended: true, closed: true)) == .finish)
        #expect(course.reason == nil)
    }

    @Test func closedOutputAloneIsNoEnd() {
        var course = course()
        #expect(course.advance(sight(1, closed: true)) == nil)
        #expect(course.wake == start.advanced(by: .seconds(10)))
    }

    @Test func openOutputIsDrainedForAShortTimeOnly() {
        var course = course()
        #expect(course.advance(sight(2, ended: true)) == nil)
        #expect(course.wake == start.advanced(by: .seconds(3)))
        #expect(course.advance(sight(2, ended: true)) == nil)
        #expect(course.advance(sight(3, ended: true)) == .finish)
        #expect(course.reason == nil)
    }

    @Test func theLimitEndsItByTermAndThenKill() {
        var course = course()
        #expect(course.advance(sight(10)) == .signal(SIGTERM))
        #expect(course.advance(sight(10)) == nil)
        #expect(course.advance(sight(14)) == nil)
        #expect(course.advance(sight(15)) == .signal(SIGKILL))
        #expect(course.advance(sight(15)) == nil)
        // The kernel takes its time: it is waited for, whatever the drain says.
        #expect(course.advance(sight(99)) == nil)
        #expect(course.advance(sight(99, ended: true)) == .finish)
        #expect(course.reason == .timedOut)
    }

    @Test func anInterruptEndsItTheSameWay() {
        var course = course()
        #expect(course.advance(sight(1, interrupted: true)) == .signal(SIGTERM))
        #expect(course.advance(sight(2, ended: true, closed: true, interrupted: true)) == .finish)
        #expect(course.reason == .interrupted)
    }

    @Test func childrenKeepTheirGraceWhenTheHookHasGone() {
        var course = course()
        #expect(course.advance(sight(1, interrupted: true)) == .signal(SIGTERM))
        #expect(course.advance(sight(2, ended: true, interrupted: true)) == nil)
        #expect(course.advance(sight(6, ended: true, interrupted: true)) == .signal(SIGKILL))
        #expect(course.advance(sight(7, ended: true, interrupted: true)) == .finish)
    }

    @Test func everyStepIsTakenInItsTurn() {
        var course = course(steps: [
            .init(signal: SIGINT, grace: .seconds(1)), .init(signal: SIGTERM, grace: .seconds(2)),
        ])
        #expect(course.advance(sight(10)) == .signal(SIGINT))
        #expect(course.advance(sight(11)) == .signal(SIGTERM))
        #expect(course.advance(sight(12)) == nil)
        #expect(course.advance(sight(13)) == .signal(SIGKILL))
    }

    @Test func withoutStepsItIsKilledAtOnce() {
        var course = course(steps: [])
        #expect(course.advance(sight(10)) == .signal(SIGKILL))
    }

    @Test func anEndAtTheLimitIsAnEnd() {
        var course = course()
        #expect(course.advance(sight(10, ended: true, closed: true, interrupted: true)) == .finish)
        #expect(course.reason == nil)
    }
}

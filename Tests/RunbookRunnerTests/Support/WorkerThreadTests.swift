import Dispatch
import Foundation
import Testing

@testable import RunbookRunner

/// Guarantees of the thread that a worker lives on.
struct WorkerThreadTests {
    private actor Counter {
        let thread: WorkerThread
        private(set) var value = 0
        private(set) var threads: Set<UInt> = []

        init(_ thread: WorkerThread) { self.thread = thread }

        nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

        func count() {
            value += 1
            threads.insert(UInt(pthread_self()))
        }

        func countAcrossSuspension() async {
            count()
            await Task.yield()
            count()
        }

        func threadName() -> String {
            (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? ""
        }

        func isOnThread() -> Bool { thread.isCurrent }

        func block(until gate: DispatchSemaphore) { gate.wait() }

        nonisolated func countSynchronously() { assumeIsolated { $0.count() } }

        func callSynchronously() { countSynchronously() }
    }

    @Test func tenThousandHopsRunOnOneThread() async {
        let counter = Counter(WorkerThread(named: "hops"))
        for _ in 0..<10_000 { await counter.count() }
        #expect(await counter.value == 10_000)
        #expect(await counter.threads.count == 1)
        #expect(await counter.isOnThread())
    }

    @Test func concurrentCallersAreSerialised() async {
        let counter = Counter(WorkerThread(named: "callers"))
        await withTaskGroup { group in
            for _ in 0..<1000 { group.addTask { await counter.countAcrossSuspension() } }
        }
        #expect(await counter.value == 2000)
        #expect(await counter.threads.count == 1)
    }

    @Test func theThreadBearsItsName() async {
        #expect(await Counter(WorkerThread(named: "muster-7")).threadName() == "muster-7\n")
        #expect(await Counter(WorkerThread(named: "muster-1234567890")).threadName() == "muster-12345678\n")
    }

    @Test func aBlockedWorkerBlocksNobodyElse() async {
        // More blocked threads than the machine has cores: a shared pool would be exhausted.
        let gate = DispatchSemaphore(value: 0)
        let blocked = (0..<64).map { Counter(WorkerThread(named: "blocked-\($0)")) }
        await withTaskGroup { group in
            for counter in blocked { group.addTask { await counter.block(until: gate) } }
            let free = Counter(WorkerThread(named: "free"))
            await free.count()
            #expect(await free.value == 1)
            for _ in blocked { gate.signal() }
        }
    }

    @Test func aTaskThatPrefersTheThreadRunsThere() async {
        let thread = WorkerThread(named: "preferred")
        let wasThere = await withTaskExecutorPreference(thread) {
            await Self.isOn(thread)
        }
        #expect(wasThere)
        #expect(!thread.isCurrent)
    }

    @concurrent private static func isOn(_ thread: WorkerThread) async -> Bool { thread.isCurrent }

    @Test func synchronousCodeOnTheThreadIsIsolated() async {
        let counter = Counter(WorkerThread(named: "isolated"))
        await counter.callSynchronously()
        #expect(await counter.value == 1)
    }

    @Test func theThreadEndsWhenNobodyHoldsItsExecutor() async {
        var ends: [WorkerThread.End] = []
        for index in 0..<200 {
            let thread = WorkerThread(named: "short-\(index)")
            ends.append(thread.end)
            await Counter(thread).count()
        }
        for end in ends { #expect(end.wait(atMost: .seconds(10))) }
    }

    @Test func aThreadWithoutWorkEndsToo() {
        let end = WorkerThread(named: "idle").end
        #expect(end.wait(atMost: .seconds(10)))
    }

    @Test func theThreadLivesWhileItsExecutorIsHeld() async {
        let thread = WorkerThread(named: "held")
        let end = thread.end
        #expect(!end.wait(atMost: .milliseconds(20)))
        await Counter(thread).count()
        #expect(!end.wait(atMost: .milliseconds(20)))
        withExtendedLifetime(thread) {}
    }
}

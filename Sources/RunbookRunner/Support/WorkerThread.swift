private import CSystem
private import Dispatch
private import Glibc
private import Groundwork
private import Synchronization

/// One named OS thread that runs the jobs given to it, one after the other: the executor of an actor that owns a
/// blocking connection.
///
///     actor Worker {
///         private let thread = WorkerThread(named: "muster-1")
///         nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }
///     }
///
/// The thread begins with the first job and ends after the last once nobody holds the executor any more; each waiting job
/// holds it. It may block as long as it likes: it belongs to no pool.
package final class WorkerThread: SerialExecutor, TaskExecutor {
    /// The thread's name, cut by Linux to 15 bytes.
    package let name: String
    private let queue: JobQueue

    /// - Parameter stackSize: in bytes.
    package convenience init(named name: String, stackSize: Int = 4 << 20) {
        let queue = JobQueue()
        self.init(name, queue)
        // The thread knows the queue alone, so that it does not keep its executor alive.
        DetachedThread.start(stackSize: stackSize) {
            unsafe muster_name_thread(name)
            queue.run()
        }
    }

    private init(_ name: String, _ queue: JobQueue) {
        self.name = name
        self.queue = queue
    }

    /// Lets the calling thread do the work until it has ended, and what it begins on no other thread.
    package static func run(_ work: @escaping @Sendable () async -> Void) {
        let queue = JobQueue()
        Task(executorPreference: WorkerThread("main", queue)) { await work() }
        queue.run()
    }

    deinit { queue.close() }

    package func enqueue(_ job: consuming ExecutorJob) {
        queue.append(UnownedJob(job), self)
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

    package func asUnownedTaskExecutor() -> UnownedTaskExecutor { unsafe UnownedTaskExecutor(ordinary: self) }

    /// Whether the caller runs on this thread.
    package var isCurrent: Bool { queue.isCurrentThread }

    /// Lets `assumeIsolated` and `preconditionIsolated` hold in synchronous code on the thread.
    package func checkIsolated() { precondition(isCurrent, "not on the thread \(name)") }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    /// What waits for the thread to be over, once its executor has been let go.
    package var end: End { End(queue: queue) }

    package struct End: Sendable {
        fileprivate let queue: JobQueue

        /// Waits until the thread has run everything and is over; false when `limit` passed first. Blocking, so not for
        /// asynchronous code, and never for the thread itself.
        package func wait(atMost limit: Duration) -> Bool {
            let (seconds, attoseconds) = limit.components
            let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
            guard queue.ended.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success else { return false }
            queue.ended.signal()
            return true
        }
    }
}

/// Jobs in the order of their arrival, and a count that the thread sleeps on.
private final class JobQueue: Sendable {
    private struct State {
        var jobs: [(UnownedJob, WorkerThread)] = []
        var head = 0
    }

    private let state = Mutex(State())
    /// One signal for each job, and one for the end.
    private let arrivals = DispatchSemaphore(value: 0)
    let ended = DispatchSemaphore(value: 0)
    private let thread = Atomic<UInt>(0)

    var isCurrentThread: Bool { thread.load(ordering: .acquiring) == Self.currentThread }

    private func bindToCurrentThread() { thread.store(Self.currentThread, ordering: .releasing) }

    private static var currentThread: UInt { UInt(pthread_self()) }

    /// Runs jobs on the calling thread until no more can come.
    func run() {
        bindToCurrentThread()
        while let (job, executor) = next() {
            unsafe job.runSynchronously(
                isolatedTo: executor.asUnownedSerialExecutor(), taskExecutor: executor.asUnownedTaskExecutor())
        }
        ended.signal()
    }

    func append(_ job: UnownedJob, _ executor: WorkerThread) {
        state.withLock { $0.jobs.append((job, executor)) }
        arrivals.signal()
    }

    /// No job can come any more, since each would have held the executor.
    func close() { arrivals.signal() }

    /// The next job, waited for; nil at the end.
    private func next() -> (UnownedJob, WorkerThread)? {
        arrivals.wait()
        return state.withLock { state in
            guard state.head < state.jobs.count else { return nil }
            defer {
                state.head += 1
                if state.head == state.jobs.count {
                    state.jobs.removeAll(keepingCapacity: true)
                    state.head = 0
                }
            }
            return state.jobs[state.head]
        }
    }
}

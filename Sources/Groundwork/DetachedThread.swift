private import Glibc

/// A thread of the operating system that nobody waits for. It ends when what it runs has returned.
package enum DetachedThread {
    private final class Work {
        let run: () -> Void

        init(_ run: @escaping () -> Void) { self.run = run }
    }

    /// - Parameter stackSize: in bytes; of address space, not of memory.
    package static func start(stackSize: Int, _ body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        unsafe pthread_attr_setstacksize(&attributes, stackSize)
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, &attributes,
            { work in
                if let work = unsafe work { unsafe Unmanaged<Work>.fromOpaque(work).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(Work(body)).toOpaque())
        // pthread_create(3): EAGAIN, when the system is out of threads or of memory.
        precondition(code == 0, "no thread can be started: \(String(systemError: code))")
    }
}

private import CSystem
internal import DatabaseAccess
private import Glibc
private import Synchronization

/// Ends a hook from any thread: the running one, or one that has not begun. It stays interrupted.
package final class HookInterrupter: StatementInterrupter {
    private let requested = Atomic<Bool>(false)
    /// Readable once somebody has asked (eventfd(2)); -1 when there is none. It lives as long as its owner, so nobody
    /// writes to a descriptor that is another's by now.
    let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))

    package init() {}

    deinit { if descriptor >= 0 { close(descriptor) } }

    package var isRequested: Bool { requested.load(ordering: .acquiring) }

    package func interrupt() {
        requested.store(true, ordering: .releasing)
        eventfd_write(descriptor, 1)
    }
}

private import CLibPQ

private let libpq = muster_libpq()

/// The key that stops a connection's statement. It is a copy: it stays valid without the connection.
@safe
struct PostgresCancelKey: ~Copyable {
    private let pointer: OpaquePointer

    /// Takes over what PQgetCancel returned, by its address: unlike a pointer, that may be handed to another thread.
    init?(address: UInt) {
        guard let pointer = unsafe OpaquePointer(bitPattern: address) else { return nil }
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe libpq.PQfreeCancel(pointer)
    }

    /// Asks the server, over a connection of its own, and returns when the server has passed the request on.
    borrowing func cancel() {
        // A request that fails changes nothing: the statement goes on, and the caller may ask again.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            _ = unsafe libpq.PQcancel(pointer, buffer.baseAddress, Int32(buffer.count))
        }
    }
}

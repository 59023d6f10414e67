import Glibc
import Testing

/// A TCP port whose queue is full, so that further connections get no answer at all (listen(2)).
struct BlackHole {
    private var sockets: [Int32] = []
    let port: UInt16

    init() throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        func open() -> Int32 {
            socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        }
        func lend(_ use: (Int32, UnsafeMutablePointer<sockaddr>) -> Int32, _ socket: Int32) -> Int32 {
            unsafe withUnsafeMutablePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe use(socket, $0) }
            }
        }
        let listener = open()
        let isBound = unsafe lend({ unsafe bind($0, $1, length) }, listener) == 0
        let isListening = listen(listener, 0) == 0
        let isNamed = unsafe lend({ unsafe getsockname($0, $1, &length) }, listener) == 0
        try #require(isBound && isListening && isNamed)
        port = UInt16(bigEndian: address.sin_port)
        sockets = [listener]
        for _ in 0..<4 {
            let client = open()
            _ = unsafe lend({ unsafe connect($0, $1, length) }, client)
            sockets.append(client)
        }
    }

    func close() {
        for socket in sockets { Glibc.close(socket) }
    }
}

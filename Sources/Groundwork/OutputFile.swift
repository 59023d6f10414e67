private import Glibc

/// A file that is open for writing, closed with it.
package struct OutputFile: ~Copyable, Sendable {
    private let descriptor: Int32

    /// Nil, and `errno`, when there is no such file or it cannot be opened.
    package init?(_ path: String) {
        let opened = unsafe open(path, O_WRONLY | O_CLOEXEC)
        guard opened >= 0 else { return nil }
        descriptor = opened
    }

    deinit { Glibc.close(descriptor) }

    /// A pipe has no end to seek; nothing happens there.
    package func seekToEnd() { lseek(descriptor, 0, SEEK_END) }

    /// False, and `errno`, when not all of it could be written.
    package func write(_ text: String) -> Bool {
        var rest = ArraySlice(text.utf8)
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written >= 0 { rest = rest.dropFirst(written) } else if errno != EINTR { return false }
        }
        return true
    }
}

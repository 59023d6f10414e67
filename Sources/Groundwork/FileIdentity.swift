private import Glibc

/// A file, whatever it is called (stat(2)).
package struct FileIdentity: Sendable, Hashable {
    private let device: UInt
    private let node: UInt

    /// What a path leads to; nil when there is nothing, or nothing that may be seen.
    package init?(path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// An open file.
    package init?(descriptor: Int32) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) { (device, node) = (UInt(status.st_dev), UInt(status.st_ino)) }
}

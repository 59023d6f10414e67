private import Glibc

extension String {
    /// What the C library says about an error number (strerror(3)).
    package init(systemError code: Int32) {
        // Of the calling thread, and valid until its next call.
        self = unsafe String(cString: strerror(code))
    }
}

package import Foundation

/// Where things are: the checkout that the tests were built from, and the binary that was built with them.
package enum Checkout {
    package static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The built program: beside the test runner, or what MUSTER_TEST_BINARY names.
    package static let muster: String = {
        if let named = ProcessInfo.processInfo.environment["MUSTER_TEST_BINARY"] { return named }
        let runner = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        return runner.deletingLastPathComponent().appending(path: "muster").path
    }()
}

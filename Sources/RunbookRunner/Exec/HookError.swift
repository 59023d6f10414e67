/// Why a hook could not be started. Nothing of it has run.
package struct HookError: Error, Sendable, Hashable {
    package enum Code: String, Sendable, Hashable {
        case notFound
        case notExecutable
        /// An empty argument vector, or a zero byte or `=` where none may stand.
        case refused
        /// It was interrupted before it began.
        case interrupted
        /// The system could not start a process: out of memory, descriptors or processes.
        case system
    }

    package var code: Code
    /// What happened and what to do, with the program's name; never arguments or environment.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension HookError: CustomStringConvertible {
    package var description: String { message }
}

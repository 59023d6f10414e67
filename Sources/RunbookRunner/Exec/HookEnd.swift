/// How a hook ended, with what it printed.
package struct HookEnd: Sendable, Hashable {
    package enum Cause: Sendable, Hashable {
        /// It ended by itself: 0 is success, 75 is "try again", anything else fails.
        case exited(Int32)
        /// A signal that was not ours ended it.
        case signaled(Int32)
        /// It was ended after its time limit: what it did is not known.
        case timedOut
        /// It was ended by an interrupt or a failed heartbeat: what it did is not known.
        case interrupted
    }

    package var cause: Cause
    /// What it printed to stdout and stderr, in its order, printable and cut in the middle when it was too much.
    package var output: String
    package var duration: Duration
    /// Also the process id that the hook had.
    package var processGroup: Int32
}

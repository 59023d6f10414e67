/// What the end of a hook around a run or a tenant means.
package enum RunHookVerdict: Sendable, Hashable {
    case passed
    /// - Parameters:
    ///   - code: what it ended with; nil when it did not end by itself, or was never started.
    ///   - output: the last lines that it printed.
    case failed(code: Int32?, message: String, output: String?)
    /// It was ended because somebody asked to stop: it is started again later.
    case interrupted

    /// Whether it asks to be tried again.
    package var asksForAnotherTry: Bool {
        if case .failed(75, _, _) = self { true } else { false }
    }
}

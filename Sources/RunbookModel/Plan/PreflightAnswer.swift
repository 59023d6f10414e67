/// What one tenant answers to a preflight query.
package enum PreflightAnswer: Sendable, Hashable {
    case count(Int)
    /// It could not be asked, or did not answer one number.
    case failed(String)
    /// Its server or file was not to be had.
    case unreachable(String)
}

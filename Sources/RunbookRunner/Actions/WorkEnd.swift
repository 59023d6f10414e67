import RunbookModel

/// What work that cannot be transactional came to, before its end is recorded.
enum WorkEnd {
    case succeeded(rows: Int?, output: String?)
    case failed(Failure, output: String?)
    /// It said itself that it did nothing and that a later try may succeed.
    case tryAgain(Failure, output: String?)
    case unknown(Failure, output: String?)

    /// What is recorded of it.
    ///
    /// - Parameter aim: the state that it was meant to lead to.
    func recorded(_ aim: ExecutionState) -> (state: ExecutionState, clean: Bool?) {
        switch self {
        case .succeeded: (aim, nil)
        case .failed(let failure, _): (.failed, failure.clean)
        case .tryAgain: (.failed, true)
        case .unknown: (.unknown, nil)
        }
    }
}

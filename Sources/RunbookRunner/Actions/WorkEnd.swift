import RunbookModel

/// What work that cannot be transactional came to, before its end is recorded.
enum WorkEnd {
    case succeeded(rows: Int?, output: String?)
    case failed(Failure, output: String?)
    case unknown(Failure, output: String?)
}

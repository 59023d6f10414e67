/// The shapes in which a run's report is written to a file.
package enum ReportKind: String, Sendable, CaseIterable {
    case json
    case junit
    case markdown
    case prometheus

    /// Writes a report piece by piece, whole lines each.
    ///
    /// - Parameter version: of this muster.
    package func write(_ answer: RunAnswer, version: String, to write: (String) -> Void) throws {
        switch self {
        case .json:
            try ReportEncoder.write(answer, isPage: true, to: write)
            write("\n")
        case .junit: JUnitFile(answer).write(to: write)
        case .markdown: MarkdownFile(answer).write(to: write)
        case .prometheus: PrometheusFile(answer, version: version).write(to: write)
        }
    }
}

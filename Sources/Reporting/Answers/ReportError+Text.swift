package import RunbookModel

extension ReportError {
    /// The error as a sentence that begins with what it leads to: `Refused: …`.
    package func lines(exitCode: Int, _ layout: TextLayout) -> [String] {
        let said = message.printableLines
        return [layout.style.bad("\(Self.word(exitCode)): \(said.first ?? "")")] + said.dropFirst().map { "  " + $0 }
    }

    private static func word(_ exitCode: Int) -> String {
        switch ExitStatus(rawValue: Int32(exitCode)) {
        case .refused: "Refused"
        case .tryAgain: "Try again later"
        case .interrupted: "Interrupted"
        case .terminated: "Terminated"
        case .undecided: "A person must decide"
        case .usage: "Wrong usage"
        default: "Failed"
        }
    }
}

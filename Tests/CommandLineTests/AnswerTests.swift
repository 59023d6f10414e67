import Reporting
import Testing

@Suite struct AnswerTests {
    /// Guarantee: each answer's text is what it was when a person last read it.
    @Test(arguments: AnswerSamples.all.indices)
    func textIsAsRecorded(_ index: Int) throws {
        let (name, answer) = AnswerSamples.all[index]
        try Snapshot(name: "text/\(name).txt").expect(answer.lines(TextLayout()).joined(separator: "\n") + "\n")
    }

    /// Guarantee: each answer's JSON keeps its shape.
    @Test(arguments: AnswerSamples.all.indices)
    func jsonIsAsRecorded(_ index: Int) throws {
        let (name, answer) = AnswerSamples.all[index]
        try Snapshot(name: "json/\(name).json").expect(try ReportEncoder.value(of: answer).page + "\n")
    }

    /// Guarantee: colour changes no word, and only Muster's own sequences reach a terminal.
    @Test(arguments: AnswerSamples.all.indices)
    func colourAddsNoWords(_ index: Int) {
        let answer = AnswerSamples.all[index].answer
        let coloured = answer.lines(TextLayout(style: TextStyle(isColoured: true)))
            .map { $0.replacing(/\u{1B}\[[0-9]+m/, with: "") }
        #expect(coloured == answer.lines(TextLayout()))
        #expect(coloured.allSatisfy { $0.printable == $0 })
    }

    /// Guarantee: tables fit a terminal as far as their numbers allow.
    @Test(arguments: AnswerSamples.all.indices)
    func tablesFit(_ index: Int) {
        let lines = AnswerSamples.all[index].answer.lines(TextLayout(width: 60))
        for line in lines where line.contains("  ") && !line.hasPrefix(" ") && !line.hasSuffix(".") {
            #expect(line.displayWidth <= 120, "\(line)")
        }
    }
}

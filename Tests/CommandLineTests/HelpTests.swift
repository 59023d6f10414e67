import Testing

@testable import CommandLine

@Suite struct HelpTests {
    static let topics: [[String]] = [[], ["locks"]] + CommandCatalogue.definitions.map(\.path)

    /// Guarantee: help says what it said when it was last read by a person.
    @Test(arguments: topics)
    func helpIsAsRecorded(_ topic: [String]) throws {
        let text = HelpText(CommandCatalogue.definitions).lines(topic).joined(separator: "\n") + "\n"
        try Snapshot(name: "help/\((["muster"] + topic).joined(separator: "-")).txt").expect(text)
    }

    /// Guarantee: no line is wider than asked for, save an example or a flag that is wider by itself.
    @Test(arguments: topics, [60, 80, 100])
    func helpFits(_ topic: [String], _ width: Int) {
        for line in HelpText(CommandCatalogue.definitions, width: width).lines(topic)
        where !line.hasPrefix("  muster ") && !line.hasPrefix("Usage:") {
            #expect(line.count <= width, "\(line)")
        }
    }

    /// Guarantee: the first help names every command.
    @Test func overviewIsWhole() {
        let lines = HelpText(CommandCatalogue.definitions).lines([])
        for definition in CommandCatalogue.definitions {
            #expect(lines.contains { $0.hasPrefix("  \(definition.name) ") })
        }
    }

    /// Guarantee: nobody is told about what does not exist yet.
    @Test func unsupportedIsNotListed() {
        let everything = Self.topics.flatMap { HelpText(CommandCatalogue.definitions).lines($0) }.joined(
            separator: "\n")
        for command in CommandCatalogue.unsupported where command != "ledger" {
            #expect(!everything.contains("muster \(command)"))
        }
    }
}

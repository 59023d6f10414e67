import Foundation
import FoundationXML
import Reporting
import RunbookModel
import Testing

/// `--report KIND=FILE` in every kind.
@Suite struct ReportFileTests {
    private static let names = ["apply-partial", "apply-refused", "apply-nothing-to-do", "apply-interrupted"]

    private static func answer(_ name: String) throws -> RunAnswer {
        try #require(AnswerSamples.all.first { $0.name == name }?.answer as? RunAnswer)
    }

    private static func text(_ kind: ReportKind, _ answer: RunAnswer) throws -> String {
        var text = ""
        try kind.write(answer, version: "0.0.0") { text += $0 }
        return text
    }

    /// Guarantee: each file is what it was when a person last read it.
    @Test(arguments: names, [ReportKind.junit, .markdown, .prometheus])
    func filesAreAsRecorded(_ name: String, _ kind: ReportKind) throws {
        let ending = [ReportKind.junit: "xml", .markdown: "md"][kind] ?? "prom"
        try Snapshot(name: "files/\(name).\(ending)").expect(try Self.text(kind, Self.answer(name)))
    }

    /// A report full of what each format gives a meaning to.
    private static var hostile: RunAnswer {
        get throws {
            var answer = try answer("apply-partial")
            let text = "a < b && \"c\" ]]> | `d` ```\n\u{1B}[31m\u{0}<script>\\n\u{FFFE}"
            answer.report.failures[0].tenant = text
            answer.report.failures[0].message = text
            answer.report.failures[0].statement = text
            answer.report.failures[0].sqlstate = nil
            answer.report.causes[0].message = text
            answer.report.causes[0].sampleTenants = [text]
            answer.report.run?.release = text
            answer.report.workspace = text
            answer.report.notices = [text]
            return answer
        }
    }

    /// Guarantee: JUnit files are well-formed whatever servers and tenants say, and their counts are those of the cases.
    @Test func junitHoldsAnyText() throws {
        for answer in try Self.names.map(Self.answer) + [Self.hostile] {
            let text = try Self.text(.junit, answer)
            let count = try JUnitCount.of(text)
            #expect(count.declared == count.found, "\(text)")
            #expect(count.found["tests", default: 0] > 0)
            #expect(count.unknownElements.isEmpty)
            let bad = answer.report.failures.count + (answer.report.error == nil ? 0 : 1)
            #expect(count.found["failures", default: 0] + count.found["errors", default: 0] == bad)
        }
    }

    /// Guarantee: no word of a server becomes markup, and no terminal sequence gets through.
    @Test func markdownHoldsAnyText() throws {
        let text = try Self.text(.markdown, Self.hostile)
        #expect(!text.contains("\u{1B}") && !text.contains("\u{0}"))
        let outside = text.split(separator: "````").enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        #expect(outside.allSatisfy { !$0.contains("<script>") && !$0.contains("a < b") }, "\(text)")
    }

    /// Guarantee: each line of a Prometheus file is a comment or a sample, its family is declared before it, once.
    @Test func prometheusLinesAreSamples() throws {
        for answer in try Self.names.map(Self.answer) + [Self.hostile] {
            let text = try Self.text(.prometheus, answer)
            var declared: Set<String> = []
            for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                if line.hasPrefix("# TYPE ") {
                    let name = String(line.split(separator: " ")[2])
                    #expect(declared.insert(name).inserted, "\(name) is declared twice")
                } else if !line.hasPrefix("# HELP ") {
                    let sample = line.wholeMatch(
                        of: /([a-z_]+)\{([a-z_]+="(?:[^"\\]|\\[\\"n])*",?)*\} -?[0-9]+(\.[0-9]+)?/)
                    #expect(sample != nil, "\(line)")
                    if let sample { #expect(declared.contains(String(sample.1))) }
                }
            }
            #expect(text.hasSuffix("\n"))
        }
    }
}

/// What a JUnit file says it holds, and what it holds.
private final class JUnitCount: NSObject, XMLParserDelegate {
    private static let elements: Set = [
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped", "system-out",
    ]
    var declared: [String: Int] = [:]
    var found: [String: Int] = [:]
    var unknownElements: Set<String> = []

    static func of(_ text: String) throws -> JUnitCount {
        let parser = XMLParser(data: Data(text.utf8))
        let count = JUnitCount()
        parser.delegate = count
        guard parser.parse() else { throw CocoaError(.propertyListReadCorrupt) }
        return count
    }

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        if !Self.elements.contains(element) { unknownElements.insert(element) }
        switch element {
        case "testsuite":
            for name in ["tests", "failures", "errors", "skipped"] {
                declared[name, default: 0] += attributes[name].flatMap { Int($0) } ?? -1
                found[name, default: 0] += 0
            }
        case "testcase": found["tests", default: 0] += 1
        case "failure": found["failures", default: 0] += 1
        case "error": found["errors", default: 0] += 1
        case "skipped": found["skipped", default: 0] += 1
        default: break
        }
    }
}

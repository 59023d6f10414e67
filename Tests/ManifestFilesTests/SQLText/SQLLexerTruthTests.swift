import Foundation
import ManifestFiles
import RunbookModel
import Testing

/// The engines' own clients are asked where statements end.
struct SQLLexerTruthTests {
    private static let server = ProcessInfo.processInfo.environment["MUSTER_TEST_POSTGRES"]
    private static let hasShell = (try? output(of: ["sqlite3", "-version"])) != nil

    @Test(
        "PostgreSQL answers once for each statement, with its command",
        .enabled(if: server != nil, "no PostgreSQL: run it under ci/with-postgres"), arguments: SQLCorpus.postgresql)
    func postgreSQLAgrees(text: String) throws {
        let statements = SQLLexer.script(path: "s", text: text, dialect: .postgresql, transactional: true)
            .script.statements
        let server = try #require(Self.server)
        let message = "BEGIN;\n\(text)\n;\nROLLBACK"
        let tags = try Self.output(of: ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", server, "-c", message])
            .split(separator: "\n")
        let answered = tags.dropFirst().dropLast().map { firstWord(of: String($0)) }
        let expected = statements.map { firstWord(of: $0.text) }
        #expect(answered == expected.map { $0 == "EXECUTE" ? "INSERT" : $0 })
    }

    @Test(
        "the sqlite3 shell runs the same statements, one by one",
        .enabled(if: hasShell, "no sqlite3 shell"), arguments: SQLCorpus.sqlite)
    func sqliteAgrees(text: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "muster-lexer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "script.sql")
        try Data((text + "\n;\n").utf8).write(to: file)

        // A profile line is the statement's text, `; -- `, and how long it took.
        let trace = try Self.output(
            of: ["sqlite3", "-bail", ":memory:", ".trace stdout --plain --profile", ".read \(file.path)"])
        let ran = trace.replacing(/; -- \d+ ns\n/, with: "\u{1}").split(separator: "\u{1}")
            .map { Self.withoutComments(String($0)) }
        let statements = SQLLexer.script(path: "s", text: text, dialect: .sqlite, transactional: true).script.statements
        #expect(ran == statements.map(\.text))
    }

    private func firstWord(of text: String) -> String { text.prefix { $0.isLetter }.uppercased() }

    /// The text from its first token on, without a semicolon at the end.
    private static func withoutComments(_ text: String) -> String {
        SQLLexer.script(path: "s", text: text, dialect: .sqlite, transactional: true).script.statements.map(\.text)
            .joined(separator: "|")
    }

    private static func output(of arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
        return String(decoding: data, as: UTF8.self)
    }
}

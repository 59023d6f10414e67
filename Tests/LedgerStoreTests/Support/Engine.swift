import TestSupport
import Testing

/// The two engines that every fact is checked on.
enum Engine: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case postgresql
    case sqlite

    /// SQLite always; PostgreSQL where a server is expected.
    static let all: [Engine] = PostgresServer.isExpected ? [.postgresql, .sqlite] : [.sqlite]

    var testDescription: String { rawValue }
}

import Foundation
import Groundwork
import Testing

struct OutputFileTests {
    @Test func itWritesFromTheBeginningOrTheEnd() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        #expect(!append("text", to: path), "a file that is not there is not made")
        try Data("before".utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(append(" and ", to: path))
        #expect(append("after", to: path))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "before and after")
    }

    @Test func aFullDeviceIsNoSuccess() {
        #expect(!append("text", to: "/dev/full"))
    }

    private func append(_ text: String, to path: String) -> Bool {
        guard let file = OutputFile(path) else { return false }
        file.seekToEnd()
        return file.write(text)
    }
}

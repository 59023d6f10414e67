import FoundationEssentials
import Glibc
import Groundwork
import Testing

@Suite struct FileIdentityTests {
    /// A file is the same by another name, and another one at the same name is not.
    @Test func namesDoNotCount() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "identity-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) } }
        let (file, link, other) = (folder + "/file", folder + "/link", folder + "/other")
        #expect(FileIdentity(path: file) == nil)
        try Data("1".utf8).write(to: URL(filePath: file))
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        let seen = try #require(FileIdentity(path: file))
        #expect(FileIdentity(path: link) == seen)
        try Data("2".utf8).write(to: URL(filePath: other))
        #expect(FileIdentity(path: other) != seen)
        try FileManager.default.removeItem(atPath: file)
        #expect(FileIdentity(path: link) == nil)
    }

    @Test func openFileIsTheOneAtItsPath() {
        let descriptor = unsafe open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        #expect(FileIdentity(descriptor: descriptor) == FileIdentity(path: "/proc/self/exe"))
        #expect(FileIdentity(descriptor: descriptor) != nil)
        #expect(FileIdentity(descriptor: -1) == nil)
    }
}

import Foundation
import TestSupport
import Testing

/// A file system in memory that is soon full.
struct SmallDisk: Sendable {
    let folder: URL

    /// Lends one, mounted at `folder`, and unmounts it afterwards.
    static func with(_ size: String, at folder: URL, _ body: (SmallDisk) async throws -> Void) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await Command("mount", "-t", "tmpfs", "-o", "size=\(size)", "tmpfs", folder.path).output()
        do { try await body(SmallDisk(folder: folder)) } catch {
            try await Command("umount", "-l", folder.path).run()
            throw error
        }
        try await Command("umount", "-l", folder.path).output()
    }

    /// Takes all the room that is left.
    func fill() async throws {
        try await Command("sh", "-c", "cat /dev/zero >filling 2>/dev/null; test -s filling", folder: folder).output()
    }

    func makeRoom() throws { try FileManager.default.removeItem(at: folder.appending(path: "filling")) }

    /// Whether this process may mount.
    static let isPossible: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c", "f=$(mktemp -d) && mount -t tmpfs tmpfs $f && umount $f; s=$?; rmdir $f; exit $s",
        ]
        process.standardError = FileHandle.nullDevice
        guard getuid() == 0, (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()
}

extension Trait where Self == ConditionTrait {
    static var needsMount: Self {
        .enabled(if: SmallDisk.isPossible, "only root, where it may mount, can make a disk that is full")
    }
}

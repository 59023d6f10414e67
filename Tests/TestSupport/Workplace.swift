package import Foundation
package import Testing

/// A temporary folder of one test, with a manifest in it; gone with the value.
package final class Workplace: Sendable {
    package let folder: URL
    package let environment: [String: String]

    package init(environment: [String: String] = [:]) throws {
        self.environment = environment
        folder = FileManager.default.temporaryDirectory
            .appending(path: "muster-integration-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// A copy of the samples and hooks; the folder that counts is `sample`, relative to manifests.
    package init(sample: String, environment: [String: String] = [:]) throws {
        self.environment = environment
        let home = FileManager.default.temporaryDirectory
            .appending(path: "muster-integration-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        for name in ["manifests", "hooks"] {
            try FileManager.default.copyItem(at: Checkout.root.appending(path: name), to: home.appending(path: name))
        }
        folder = home.appending(path: "manifests").appending(path: sample)
    }

    deinit {
        let components = folder.pathComponents
        guard let home = components.firstIndex(where: { $0.hasPrefix("muster-integration-") }) else { return }
        try? FileManager.default.removeItem(atPath: NSString.path(withComponents: Array(components[...home])))
    }

    package func write(_ name: String, _ text: String) throws {
        let file = folder.appending(path: name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    package func writeProgram(_ name: String, _ text: String) throws {
        try write(name, text)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: folder.appending(path: name).path)
    }

    package func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
    }

    package func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: name).path)
    }

    package func remove(_ name: String) throws {
        try FileManager.default.removeItem(at: folder.appending(path: name))
    }

    /// Every folder's name, and every file's name, size, time of change and checksum, as one text: equal texts mean that
    /// nothing was written.
    package func contents() async throws -> String {
        try await Command(
            "bash", "-c",
            "find . -type d -printf '%p\\n' -o -printf '%p %y %s %T@\\n' | LC_ALL=C sort && find . -type f -print0 | sort -z | xargs -0 -r sha256sum",
            folder: folder
        ).output()
    }

    /// `muster` with these arguments, in this folder.
    package func muster(_ arguments: String...) -> Command {
        Command([Checkout.muster] + arguments, folder: folder, environment: environment)
    }

    package func muster(_ arguments: [String], _ more: String...) -> Command {
        Command([Checkout.muster] + arguments + more, folder: folder, environment: environment)
    }

    /// `muster apply` as a pipeline calls it: the whole report, and the exit code of the process.
    package func apply(
        _ arguments: String..., limit: Duration = .seconds(180), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> PrintedReport {
        let command = Command(
            [Checkout.muster, "apply", "-f", "deploy.json5", "--format", "json"] + arguments, folder: folder,
            environment: environment)
        let ending = try await command.run(limit: limit)
        let report = try PrintedReport(ending)
        #expect(
            Int(ending.code) == report.exitCode, "the document repeats the exit code", sourceLocation: sourceLocation)
        return report
    }
}

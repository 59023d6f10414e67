import Foundation
import ManifestFiles
import RunbookModel

/// What holds for every manifest, from bytes to a manifest or its problems.
package struct ManifestProperties {
    private let path: String
    /// Holds a value that no manifest says: whatever of it shows outside of secrets has leaked.
    private let environment = [
        "DATABASE_URL": "postgres://deploy:\(secret)@db.example/app", "WORD": secret, "COUNT": "8",
    ]
    private static let secret = "open-sesame"

    /// - Parameter folder: where the manifest is written, beside the files that it may name.
    package init(folder: String) {
        path = folder + "/muster.json5"
    }

    package func check(_ bytes: [UInt8]) throws {
        let answer = try load(bytes)
        let again = try load(bytes)
        let text = String(decoding: Checksum.normalized(bytes), as: UTF8.self)
        switch (answer, again) {
        case (.success(let loaded), .success(let same)):
            try demand(Self.shown(loaded) == Self.shown(same), "accepted twice, not the same twice")
            let (secrets, others) = (loaded.manifest.source.secrets, same.manifest.source.secrets)
            try demand(secrets == others, "accepted twice, not with the same secrets")
            try check(loaded, text)
            if !bytes.contains(UInt8(ascii: "\r")) { try checkLineEnds(bytes, loaded) }
        case (.failure(let error), .failure(let same)):
            try demand(error == same, "refused twice, not the same twice")
            try demand(!error.diagnostics.isEmpty, "refused for nothing")
            try demand(
                Set(error.diagnostics).count == error.diagnostics.count, "the same thing is said twice: \(error)")
            for diagnostic in error.diagnostics { try check(diagnostic, text) }
            try demand(!leaks("\(error)", text), "an error shows a value of the environment: \(error)")
        default: throw Violation("accepted once, refused once")
        }
    }

    private func load(_ bytes: [UInt8]) throws -> Result<LoadedManifest, ManifestError> {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do throws(ManifestError) {
            return .success(try ManifestLoader.load(path: path, environment: environment))
        } catch {
            return .failure(error)
        }
    }

    /// A place lies inside the text: at most behind the last character of its line.
    private func check(_ diagnostic: ManifestDiagnostic, _ text: String) throws {
        try demand(!diagnostic.message.isEmpty, "an error without words")
        try demand(!diagnostic.description.contains("\n"), "an error of several lines: \(diagnostic)")
        guard diagnostic.file == path, let place = diagnostic.place else { return }
        let lines = text.unicodeScalars.split(omittingEmptySubsequences: false) { $0 == "\n" }
        // A lone carriage return ends a line too, and then there are more of them.
        guard !text.utf8.contains(UInt8(ascii: "\r")) else { return }
        try demand(
            1...lines.count ~= place.line && 1...lines[place.line - 1].count + 1 ~= place.column,
            "outside the text: \(diagnostic) at \(place)")
    }

    private func check(_ loaded: LoadedManifest, _ text: String) throws {
        let manifest = loaded.manifest
        for warning in loaded.warnings { try check(warning, text) }
        try demand(!leaks(loaded.warnings.map(\.description).joined(), text), "a warning shows a secret")
        try demand(!leaks(manifest.source.text, text), "the source shows a secret")
        try demand(!Self.shown(manifest.source.secrets).contains(Self.secret), "a secret prints")
        try demand(Set(manifest.phases).count == manifest.phases.count, "a phase twice")
        var seen: Set<String> = []
        var phase = 0
        for runbook in manifest.runbooks {
            try demand(seen.isSuperset(of: runbook.after), "\(runbook.id) stands before what it comes after")
            try demand(seen.insert(runbook.id).inserted, "the runbook \(runbook.id) twice")
            try demand(Self.isPlain(runbook.id) && Self.isPlain(runbook.key), "an illegal name: \(runbook.identity)")
            guard let own = manifest.phases.firstIndex(of: runbook.phase) else {
                throw Violation("\(runbook.id) is in no phase")
            }
            try demand(own >= phase, "\(runbook.id) goes back to an earlier phase")
            phase = own
            let lines = text.utf8.count { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") } + 1
            try demand(runbook.line.map { 1...lines ~= $0 } != false, "\(runbook.id) is declared outside the text")
        }
        if case .list(let tenants) = manifest.tenants.source {
            try demand(Set(tenants.map(\.id)).count == tenants.count, "a tenant twice")
            try demand(tenants.allSatisfy { TenantID.problem($0.id) == nil }, "a tenant without a legal name")
        }
    }

    /// A checkout on Windows, or an editor that writes a byte order mark, changes nothing.
    private func checkLineEnds(_ bytes: [UInt8], _ loaded: LoadedManifest) throws {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        guard !bytes.starts(with: mark) else { return }
        let other = mark + bytes.flatMap { $0 == UInt8(ascii: "\n") ? [UInt8(ascii: "\r"), $0] : [$0] }
        guard case .success(let same) = try load(other) else { throw Violation("refused with CR LF") }
        try demand(Self.shown(same) == Self.shown(loaded), "another manifest with CR LF")
    }

    private func leaks(_ shown: String, _ text: String) -> Bool {
        !text.contains(Self.secret) && shown.contains(Self.secret)
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 100
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "@") }
    }

    /// Everything in it, line by line. A dictionary gives its members in an order of its own each time.
    private static func shown(_ value: some Any) -> String {
        var text = ""
        dump(value, to: &text)
        return text.split(separator: "\n").sorted().joined(separator: "\n")
    }
}

import FoundationEssentials

/// Decides which file is the manifest.
package enum ManifestFinder {
    /// Where a manifest is looked for when nobody names one.
    package static let usualPlaces = ["muster.json5", "manifests/deploy.json5"]

    /// The manifest's path: the one that was named, else `$MUSTER_MANIFEST`, else the first usual place with a file.
    ///
    /// - Parameter folder: where the usual places are looked for.
    /// - Throws: `.missing`, when nobody named one and no usual place has one.
    package static func find(
        named path: String?, environment: [String: String], in folder: String = "."
    ) throws(ManifestError) -> String {
        if let path, !path.isEmpty { return path }
        if let path = environment["MUSTER_MANIFEST"], !path.isEmpty { return path }
        for place in usualPlaces {
            let path = folder == "." ? place : folder + "/" + place
            if FileManager.default.fileExists(atPath: path) { return path }
        }
        let looked = usualPlaces.joined(separator: " nor ")
        throw ManifestError(
            .missing,
            [
                ManifestDiagnostic(
                    file: usualPlaces[0], message: "there is no manifest: neither \(looked) exists",
                    remedy: "name one with --manifest or MUSTER_MANIFEST, or begin with muster init")
            ])
    }
}

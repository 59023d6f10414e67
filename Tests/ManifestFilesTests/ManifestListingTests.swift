import RunbookModel
import Testing

@testable import ManifestFiles

@Suite struct ManifestListingTests {
    /// Guarantee: runbooks are told from the text alone, whatever else is wrong or not there any more.
    @Test func runbooksAreListed() {
        let text = """
            {
              manifest: 1, // a comment
              runbooks: [
                { id: "a", sql: "gone.sql" },
                { id: "b", key: "${KEY}", phase: "post-deploy", match: { plan: "x" }, sql: "b.sql" },
                { id: "c", scope: "workspace", exec: ["gone"] },
                { id: "${UNSET}", sql: "d.sql" },
                { from: "folder", format: "goose" },
              ],
            }
            """
        #expect(
            ManifestListing.runbooks(in: text, environment: ["KEY": "7"]) == [
                ListedRunbook(identity: Identity(runbook: "a", key: "1"), phase: "pre-deploy"),
                ListedRunbook(identity: Identity(runbook: "b", key: "7"), phase: "post-deploy", hasMatch: true),
                ListedRunbook(identity: Identity(runbook: "c", key: "1"), phase: "pre-deploy", scope: .workspace),
            ])
    }

    /// Guarantee: the first phase is that of the manifest; what is no manifest lists nothing.
    @Test func otherTextsAreListed() {
        let text = "{ phases: [\"one\", \"two\"], runbooks: [{ id: \"a\" }] }"
        #expect(ManifestListing.runbooks(in: text, environment: [:]).map(\.phase) == ["one"])
        for text in ["", "[]", "{ runbooks: 1 }", "{ runbooks: [1, [], {}] }", "{"] {
            #expect(ManifestListing.runbooks(in: text, environment: [:]).isEmpty, "\(text)")
        }
    }
}

import FoundationEssentials
import Reporting
import RunbookModel

/// A plan in a file: `plan --out FILE`, `apply --plan FILE`.
enum SavedPlanFile {
    static func write(_ plan: SavedPlan, to file: DocumentFile) throws {
        try file.write { write in
            try ReportEncoder.write(plan, isPage: true, to: write)
            write("\n")
        }
    }

    /// - Throws: a problem with exit 4 when it is no plan that this muster understands.
    static func read(_ path: String) throws -> SavedPlan {
        struct Head: Decodable { var schema: String }
        let data: Data
        do { data = try Data(contentsOf: URL(filePath: path)) } catch {
            throw Problem("stale_plan", "The plan cannot be read: \(Problem(error).message)", .refused)
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let schema = (try? decoder.decode(Head.self, from: data))?.schema
        guard schema == SavedPlan.schema else {
            let what = schema.map { "it is \($0)" } ?? "it is no plan"
            throw Problem(
                "stale_plan",
                "\(path): \(what), and not \(SavedPlan.schema). muster plan --out FILE makes one.", .refused)
        }
        do { return try decoder.decode(SavedPlan.self, from: data) } catch {
            throw Problem(
                "stale_plan", "\(path): the plan is damaged. Make a new one with muster plan --out FILE.", .refused)
        }
    }
}

/// Flags of rollback.
extension Flag {
    package static let run = Flag("run", .text("RUN"), help: "Take back what this run has done, and nothing else.")
    package static let includeBaselined = Flag(
        "include-baselined", help: "Undo it also where a person declared it done, without a run.")
    package static let dryRun = Flag("dry-run", help: "Say what would be undone, and touch nothing.")
}

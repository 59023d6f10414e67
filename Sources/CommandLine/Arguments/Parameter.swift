/// One positional argument of a command.
package struct Parameter: Sendable {
    /// In capitals, as help shows it.
    package var name: String
    package var help: String
    package var isRequired: Bool
    package var isRepeated: Bool

    package init(_ name: String, isRequired: Bool = true, isRepeated: Bool = false, help: String) {
        self.name = name
        self.help = help
        self.isRequired = isRequired
        self.isRepeated = isRepeated
    }

    /// As the usage line shows it: `RUN`, `[FOLDER]`, `RUNBOOK[@KEY]…`.
    package var usage: String {
        let word = name + (isRepeated ? "…" : "")
        return isRequired ? word : "[\(word)]"
    }
}

/// What `rollback` is asked to do, besides the manifest.
package struct RollbackRequest: Sendable {
    package enum Subject: Sendable, Hashable {
        /// Wherever they are done: ids, with or without a key.
        case runbooks([String])
        /// What one run has done.
        case run(String)
    }

    package var subject: Subject
    /// Whether work that a person declared done is undone as well.
    package var takesBaselined: Bool
    /// How it is done; the runbooks of its selection are not looked at.
    package var run: ApplyRequest

    package init(_ subject: Subject, takesBaselined: Bool = false, run: ApplyRequest) {
        self.subject = subject
        self.takesBaselined = takesBaselined
        self.run = run
    }
}

import RunbookModel

extension DeployEstimate {
    /// "It takes about 3 s with 8 tenants at once, by what it took before." What has no figure comes on top.
    func sentence(of subject: String, by source: String) -> String {
        guard let durationMS else {
            return "How long it takes is not known: no figure yet for \(Phrase.names(withoutFigure))."
        }
        let workers = workers > 1 ? " with \(workers) tenants at once" : ""
        let rest = withoutFigure.isEmpty ? "" : "; there is no figure yet for \(Phrase.names(withoutFigure))"
        return
            "\(subject) \(withoutFigure.isEmpty ? "about" : "at least") \(Phrase.duration(milliseconds: durationMS))\(workers), by \(source)\(rest)."
    }
}

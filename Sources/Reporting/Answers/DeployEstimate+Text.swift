import RunbookModel

extension DeployEstimate {
    /// "It takes about 3 s with 8 tenants at once, by what it took before."
    func sentence(of subject: String, by source: String) -> String {
        guard let durationMS else {
            return "How long it takes is not known: no figure yet for \(Phrase.names(withoutFigure))."
        }
        let workers = workers > 1 ? " with \(workers) tenants at once" : ""
        let rest = withoutFigure.isEmpty ? "" : ", and no figure yet for \(Phrase.names(withoutFigure))"
        return "\(subject) about \(Phrase.duration(milliseconds: durationMS))\(workers), by \(source)\(rest)."
    }
}

package import RunbookModel

extension CheckReport: TextAnswer {
    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        return identities.map { identity in
            let sentence = identity.sentence
            return identity.done == identity.asked ? sentence : layout.style.bad(sentence)
        }
    }
}

extension CheckReport.CheckedIdentity {
    fileprivate var sentence: String {
        let name = "\(runbook)@\(key)".printable
        let all = asked == 1 ? "the tenant asked about" : "all \(asked) tenants"
        var sentence =
            switch done {
            case _ where asked == 0: "\(name) was asked about on no tenant"
            case 0 where asked == 1: "\(name) is not done on \(missing.first?.printable ?? "the tenant asked about")"
            case asked: "\(name) is done on \(all)"
            case 0: "\(name) is done on none of \(Phrase.counted(asked, "tenant"))"
            default: "\(name) is done on \(done) of \(asked) tenants"
            }
        if unknown > 0 { sentence += ", unknown on \(unknown)" }
        if drifted > 0 { sentence += ", drifted on \(drifted)" }
        if !missing.isEmpty, asked > 1 { sentence += "; missing: \(Phrase.names(missing, total: asked - done))" }
        return sentence + "."
    }
}

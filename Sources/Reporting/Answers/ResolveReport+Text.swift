package import RunbookModel

extension ResolveReport: TextAnswer {
    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        let name = "\(runbook ?? "")@\(key ?? "")".printable
        var lines = tenants.map { answer in
            let place = (answer.tenant ?? "the workspace").printable
            let detail = answer.detail.map { ": " + $0.printable } ?? ""
            switch answer.result {
            case .resolved:
                let end = decision == .applied ? "done" : "to be run again"
                return "\(place): \(name) was \(answer.before?.rawValue ?? "pending"), and is \(end) now\(detail)"
            case .nothing:
                let state = answer.before?.rawValue ?? "pending"
                return layout.style.bad("\(place): \(name) is \(state): there is nothing to decide\(detail)")
            case .busy: return layout.style.bad("\(place): not decided\(detail)")
            }
        }
        if decision == .retry, tenants.contains(where: { $0.result == .resolved }) {
            lines.append("The next apply runs it.")
        }
        return lines
    }
}

import RunbookModel

extension ManifestDecoder {
    private static let batchKeys = ["sql", "size", "target", "pause", "max_lag", "throttle"]

    /// A backfill in batches, and its checksum: that of the statement alone, so that size and pace may be changed while
    /// it is half done.
    func batch(
        _ field: ManifestField, of runbook: ManifestObject, dialect: SQLDialect?
    ) -> (value: RunbookAction, checksum: String)? {
        runbook.refuse(
            ["transaction"], "is for sql, and this is a batch", remedy: "leave it out: each batch is a transaction")
        runbook.refuse(
            ["repeatable"], "is not for a batch", remedy: "leave it out: a batch goes on where its last one ended")
        guard let object = field.object(keys: Self.batchKeys) else { return nil }
        let size = object["size"].map { $0.integer(in: 1...BatchPace.largestSize) } ?? 1000
        let times: ClosedRange<Duration> = .milliseconds(1)...(.seconds(86_400))
        let target: Duration? =
            if let given = object["target"] { given.limit(in: times)?.duration } else { .milliseconds(250) }
        let pause = object["pause"].flatMap { $0.duration(in: .zero...(.seconds(86_400))) } ?? .zero
        let maxLag = object["max_lag"].flatMap { $0.duration(in: times) }
        if dialect == .sqlite {
            object.refuse(["max_lag"], "is for PostgreSQL", remedy: "leave it out, or ask a throttle query")
        }
        let throttle = object["throttle"].flatMap { query($0, dialect: dialect) }
        guard let sql = object.required("sql"), let script = script(sql, dialect: dialect, transactional: true),
            let size, let statement = statement(of: script, sql, dialect: dialect)
        else { return nil }
        let work = BatchWork(
            script: script, statement: statement.text, parameters: statement.parameters, size: size, target: target,
            pause: pause, maxLag: maxLag, throttle: throttle)
        return (.batch(work), script.checksum)
    }

    private func statement(of script: SQLScript, _ field: ManifestField, dialect: SQLDialect?) -> BatchStatement? {
        guard let first = script.statements.first else { return nil }
        let statement = BatchStatement(first, dialect: dialect ?? .postgresql)
        // Without a dialect the file may be another one's.
        guard dialect != nil else { return statement }
        if script.statements.count > 1 {
            field.report(
                "\(field.shown) holds \(script.statements.count) statements, and a batch is one",
                remedy: "keep one statement; the others are runbooks of their own")
        }
        for problem in statement.problems {
            log.report(
                ManifestDiagnostic(
                    file: script.path, place: TextPlace(line: problem.line, column: 1), message: problem.message,
                    remedy: problem.remedy))
        }
        if !statement.parameters.contains(.limit) {
            log.report(
                ManifestDiagnostic(
                    file: script.path, place: TextPlace(line: first.line, column: 1),
                    message: "the statement of a batch does not use :limit",
                    remedy: "limit the rows of one batch with it, as in … LIMIT :limit"))
        }
        return statement
    }
}

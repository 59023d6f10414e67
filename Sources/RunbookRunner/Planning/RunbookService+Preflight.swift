import RunbookModel

extension RunbookService {
    /// Asks every preflight query where its runbook is pending, several tenants at once. What fails in one tenant is that
    /// tenant's answer.
    func preflight(
        _ fleet: PlannedFleet, concurrency: Int?, away: [String: String]
    ) async -> [Int: [Identity: PreflightAnswer]] {
        let book = PreflightBook(fleet, away: away)
        guard book.count > 0 else { return [:] }
        let manifest = fleet.plan.manifest
        let count = WorkerCount.of(
            wanted: concurrency ?? manifest.concurrency.tenants, perServer: manifest.concurrency.perServer,
            areFiles: manifest.tenants.areFiles, on: .present)
        await withTaskGroup(of: Void.self) { workers in
            for number in 1...min(count, book.count) {
                let worker = PreflightWorker(
                    number: number, opener: opener, book: book, mask: Self.mask(manifest))
                workers.addTask(executorPreference: worker.executor) {
                    while let visit = book.next() {
                        let answers = await worker.ask(visit.runbooks, in: fleet.plan.member(at: visit.place))
                        book.take(answers, at: visit.place)
                    }
                    await worker.close()
                }
            }
        }
        return book.answers
    }
}

import LedgerStore
import RunbookModel
import Synchronization

/// How far backfills have come, from the workers who do them to the desk that writes it into the ledger now and then.
/// Only the latest of each counts.
final class BatchBoard: Sendable {
    private struct Key: Hashable {
        var tenant: String
        var identity: Identity
    }

    private let news = Mutex<[Key: BatchNews]>([:])

    func post(_ item: BatchNews) {
        news.withLock { $0[Key(tenant: item.job.tenant, identity: item.identity)] = item }
    }

    /// What has come since it was asked last.
    func take() -> [BatchNews] {
        news.withLock { news in
            defer { news = [:] }
            return Array(news.values)
        }
    }
}

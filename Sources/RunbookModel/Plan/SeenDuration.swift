/// How long a runbook took per tenant, as far as the ledger knows.
package struct SeenDuration: Sendable, Codable, Hashable {
    /// Executions that were looked at: some of many.
    package var samples: Int
    package var meanMS: Int
    package var longestMS: Int

    package init(samples: Int, meanMS: Int, longestMS: Int) {
        self.samples = samples
        self.meanMS = meanMS
        self.longestMS = longestMS
    }
}

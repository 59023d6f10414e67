extension ActionEnd {
    /// Whether a claim got past the comparison of the tenant's receipts with the ledger.
    var showsSurvey: Bool {
        switch self {
        case .succeeded, .done, .failed, .unknown, .paused, .batchFailed, .drifted(_, ofTenant: false): true
        default: false
        }
    }
}

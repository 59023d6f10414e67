/// Why a question could not be answered at all. The message says what to do next.
package struct ServiceError: Error, Sendable {
    /// A closed word; `exitStatus` follows from it.
    package enum Code: String, Sendable {
        case manifest
        case tenants
        case drift
        /// What a saved plan was made from has moved.
        case stalePlan = "stale_plan"
        case unknownName = "unknown_name"
        /// The run is not in a state for that.
        case run
        case undecided
        case target
        case isolation
        case pooler
        case ledger
        case unreachable
        case interrupted
        case `internal`
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var exitStatus: ExitStatus {
        switch code {
        case .manifest, .tenants, .drift, .stalePlan, .unknownName, .run, .target, .isolation, .pooler, .ledger:
            .refused
        case .undecided: .undecided
        case .unreachable: .tryAgain
        case .internal, .interrupted: .failed
        }
    }
}

/// Which wave each tenant belongs to.
///
/// It depends on all tenants of the source and on nothing else, so that a tenant is in the same wave whatever a command
/// selects. Where a wave takes some of many, it takes those whose hash comes first: the same ones every time, and nearly
/// the same ones when tenants come and go.
package struct WaveChoice: Sendable {
    /// The number of the wave of each tenant, in the order of the source. Empty where there are no waves.
    package private(set) var numbers: [UInt16] = []

    package init(_ waves: [Wave], workspace: String, tenants: some RandomAccessCollection<Tenant>) {
        guard waves.count > 1 else { return }
        let last = UInt16(waves.count - 1)
        numbers = Array(repeating: last, count: tenants.count)
        var isTaken = Array(repeating: false, count: tenants.count)
        let choosesByHash = waves.contains { $0.limit != nil || $0.share != nil }
        let hashes = choosesByHash ? tenants.map { Self.hash(workspace, $0.id) } : []
        for (number, wave) in waves.enumerated() where !wave.takesAll {
            var free: [Int] = []
            var matching = 0
            for (place, tenant) in zip(0..., tenants) where tenant.matches(wave.match) {
                matching += 1
                if !isTaken[place] { free.append(place) }
            }
            let wanted = Self.wanted(wave, of: matching)
            if wanted < free.count {
                free.sort { (hashes[$0], $0) < (hashes[$1], $1) }
                free.removeLast(free.count - wanted)
            }
            for place in free {
                isTaken[place] = true
                numbers[place] = UInt16(number)
            }
        }
    }

    /// How many tenants a wave takes, if so many are left. A share is rounded up, so that a small fleet has early tenants
    /// too.
    private static func wanted(_ wave: Wave, of matching: Int) -> Int {
        let share: Int =
            switch wave.share {
            case nil: matching
            case .count(let count): count
            case .some(let share): matching - share.rest.limit(of: matching)
            }
        return min(share, wave.limit ?? .max)
    }

    /// The first 8 bytes of SHA-256 over `workspace/tenant`.
    private static func hash(_ workspace: String, _ tenant: String) -> UInt64 {
        SHA256.digest(of: "\(workspace)/\(tenant)".utf8).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension Allowance {
    /// The other part of the whole: rounded down, it leaves this one rounded up.
    fileprivate var rest: Allowance {
        switch self {
        case .count(let count): .count(count)
        case .share(let share): .share(1 - share)
        }
    }
}

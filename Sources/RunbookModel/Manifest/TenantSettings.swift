/// Where tenants come from and what stands for each of them.
package struct TenantSettings: Sendable {
    package var source: TenantSource
    package var target: TargetTemplate
    /// Templates; nil means the tenant's schema only.
    package var searchPath: [String]?
    /// Dotted name to template: set for each script.
    package var settings: [String: String]
    package var isolation: Isolation
    /// SQLite: how long a commit waits for the disk.
    package var synchronous: Synchronous
    package var expect: TenantExpectation

    package init(
        source: TenantSource, target: TargetTemplate = TargetTemplate(), searchPath: [String]? = nil,
        settings: [String: String] = [:], isolation: Isolation = .rowSecurity, synchronous: Synchronous = .full,
        expect: TenantExpectation = TenantExpectation()
    ) {
        self.source = source
        self.target = target
        self.searchPath = searchPath
        self.settings = settings
        self.isolation = isolation
        self.synchronous = synchronous
        self.expect = expect
    }
}

/// Where tenants come from: exactly one of these.
package enum TenantSource: Sendable {
    /// Tenants written in the manifest, in its order.
    case list([Tenant])
    /// One read-only statement; `url` defaults to the ledger's.
    case query(sql: String, url: Redacted?)
    /// A glob relative to the manifest's folder; each match is a SQLite file.
    case files(pattern: String)
    /// A program that prints one JSON object a line.
    case command([String])
}

/// What a tenant's database is, as templates over the tenant's columns: `{id}`, `{schema}`, `{plan}`.
package struct TargetTemplate: Sendable {
    /// Values are percent-encoded into it. nil: the tenant's own `url`, else the ledger's.
    package var url: Redacted?
    package var directURL: Redacted?
    package var schema: String?
    package var role: String?
    package var pooler: PoolerMode?

    package init(
        url: Redacted? = nil, directURL: Redacted? = nil, schema: String? = nil, role: String? = nil,
        pooler: PoolerMode? = nil
    ) {
        self.url = url
        self.directURL = directURL
        self.schema = schema
        self.role = role
        self.pooler = pooler
    }
}

/// What keeps one tenant's scripts away from another's rows when tenants share tables.
package enum Isolation: String, Sendable, Codable, CaseIterable {
    /// Row-level security does, and a role that bypasses it is refused.
    case rowSecurity = "row_security"
    /// The scripts filter themselves.
    case script
}

/// How long a commit in a tenant's SQLite file waits for the disk (sqlite.org/pragma.html#pragma_synchronous). SQLite does
/// not keep it in the file.
package enum Synchronous: String, Sendable, Codable, CaseIterable {
    /// What was committed survives a loss of power.
    case full
    /// It may be gone after one, together with its receipt.
    case normal
}

/// When a set of tenants is too small to be true.
package struct TenantExpectation: Sendable, Hashable {
    package var min: Int?
    /// How much smaller than last time is accepted, as a share from 0 to 1, or a count.
    package var shrink: Allowance?

    package init(min: Int? = nil, shrink: Allowance? = nil) {
        self.min = min
        self.shrink = shrink
    }
}

/// A number of things, or a share of them.
package enum Allowance: Sendable, Hashable, CustomStringConvertible {
    case count(Int)
    /// From 0 to 1.
    case share(Double)

    /// How many of `total` that is; a share is rounded down.
    package func limit(of total: Int) -> Int {
        switch self {
        case .count(let count): count
        // Shares are whole hundredths, which floating point does not hold exactly.
        case .share(let share): Int((share * 100).rounded()) * total / 100
        }
    }

    /// As it is written: `3`, `2%`.
    package var description: String {
        switch self {
        case .count(let count): "\(count)"
        case .share(let share): "\(Int((share * 100).rounded()))%"
        }
    }

    /// Reads what `description` writes; nil for anything else.
    package init?(_ text: String) {
        let digits = text.hasSuffix("%") ? text.dropLast() : text[...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits) else { return nil }
        if text.hasSuffix("%") {
            guard number <= 100 else { return nil }
            self = .share(Double(number) / 100)
        } else {
            guard number <= Int(Int32.max) else { return nil }
            self = .count(number)
        }
    }
}

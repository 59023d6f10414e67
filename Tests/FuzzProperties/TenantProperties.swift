import Foundation
import RunbookModel

/// What holds for every list of tenants that a program prints.
package struct TenantProperties {
    private let resolvers: [TargetResolver]

    package init() throws {
        let ledger = LedgerSettings(url: Redacted("postgres:///ledger"))
        func resolver(_ target: TargetTemplate, _ settings: [String: String] = [:]) throws -> TargetResolver {
            try TargetResolver(
                TenantSettings(source: .command(["list"]), target: target, settings: settings), ledger: ledger)
        }
        resolvers = [
            try resolver(TargetTemplate()),
            try resolver(TargetTemplate(schema: "{schema}", role: "app_{plan}")),
            try resolver(TargetTemplate(), ["app.tenant_id": "{id}"]),
            try resolver(TargetTemplate(url: Redacted("sqlite:tenants/{id}.db"))),
        ]
    }

    package func check(_ bytes: [UInt8]) throws {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let tenants: [Tenant]
        do throws(TenantFinding) { tenants = try TenantLine.tenants(lines: bytes) } catch {
            try check(error)
            let named = error.message.firstMatch(of: #/^line ([0-9]+) /#).flatMap { Int($0.1) }
            try demand(named.map { 1...lines.count ~= $0 } != false, "an error on a line that is not there: \(error)")
            return
        }
        let printed = lines.filter { line in
            String(decoding: line, as: UTF8.self).contains { !$0.isWhitespace }
        }
        try demand(printed.count == tenants.count, "\(printed.count) lines, \(tenants.count) tenants")
        for (line, tenant) in zip(printed, tenants) { try check(tenant, line) }
        for resolver in resolvers { try check(tenants, resolver) }
    }

    private func check(_ finding: TenantFinding) throws {
        try demand(!finding.message.isEmpty && !finding.remedy.isEmpty, "an error without words")
        let controls = finding.description.unicodeScalars.contains { $0.properties.generalCategory == .control }
        try demand(!controls, "an error that would break its line: \(finding.description.debugDescription)")
    }

    /// The same object as a row gives the same tenant, and holds the texts that were printed.
    private func check(_ tenant: Tenant, _ line: ArraySlice<UInt8>) throws {
        var row: [(column: String, text: String?)] = [("id", tenant.id), ("gone", nil)]
        row += [("schema", tenant.schema), ("url", tenant.url?.revealed)]
        row += tenant.labels.map { (column: $0.key, text: $0.value) }.filter { $0.column != "gone" }
        var expected = tenant
        expected.labels["gone"] = nil
        let same = try TenantLine.tenant(row: row, number: 1)
        try demand(same == expected, "another tenant as a row")
        // Foundation's other parser drops a byte order mark wherever a text begins with one.
        guard !String(decoding: line, as: UTF8.self).unicodeScalars.contains("\u{FEFF}") else { return }
        guard let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else {
            throw Violation("a tenant that is no object")
        }
        for (name, value) in object {
            guard let text = value as? String else { continue }
            try demand(tenant.value(of: name) == text, "\(name.debugDescription) is not what was printed")
        }
    }

    /// A set that is accepted holds every tenant once, by legal names, each in a place of its own.
    private func check(_ tenants: [Tenant], _ resolver: TargetResolver) throws {
        let set: TenantSet
        do throws(TenantSetError) { set = try TenantSet(tenants, resolver: resolver) } catch {
            try demand(!error.findings.isEmpty && error.total >= error.findings.count, "refused for nothing")
            for finding in error.findings { try check(finding) }
            return
        }
        let ids = set.members.map(\.tenant.id)
        try demand(ids == tenants.map(\.id), "a tenant is lost")
        try demand(Set(ids).count == ids.count, "a tenant twice")
        try demand(ids.allSatisfy { (1...255).contains($0.utf8.count) }, "a name of no legal length")
        let controls = ids.joined().unicodeScalars.contains { $0.properties.generalCategory == .control }
        try demand(!controls, "a name with control characters")
        let schemas = set.members.compactMap(\.target.schema)
        try demand(schemas.allSatisfy { SchemaName.problem($0) == nil }, "a schema that cannot be one")
        try demand(Set(set.members.map(\.target)).count == ids.count, "two tenants in one place")
        for member in set.members {
            let folder = member.target.url.revealed
            // An address that the tenant brings itself is its own business.
            guard folder.hasPrefix("sqlite:tenants/"), folder != member.tenant.url?.revealed else { continue }
            try demand(!folder.dropFirst(15).contains("/"), "a file outside its folder: \(folder)")
        }
    }
}

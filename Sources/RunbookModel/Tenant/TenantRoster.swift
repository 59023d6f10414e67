/// Tenants packed into one run of bytes, in the order of their source: 100,000 of them are some megabytes instead of as
/// many objects. Each is taken out when it is asked for.
struct TenantRoster: Sendable {
    /// For each tenant: its id, then column and value for each other column it has. Numbers before texts are lengths.
    private var bytes: [UInt8] = []
    private var starts: [Int] = []
    /// Names of columns other than `id`, by number.
    private var columns = ["schema", "url"]
    private var numbers: [String: Int] = ["schema": 0, "url": 1]

    /// Whether any tenant has an address of its own.
    private(set) var hasAddresses = false

    var count: Int { starts.count }

    /// Every column that at least one tenant may have.
    var labelNames: ArraySlice<String> { columns.dropFirst(2) }

    mutating func append(_ tenant: Tenant) {
        starts.append(bytes.count)
        put(tenant.id)
        if let schema = tenant.schema { put(schema, column: 0) }
        if let url = tenant.url {
            hasAddresses = true
            put(url.revealed, column: 1)
        }
        for (name, value) in tenant.labels { put(value, column: number(of: name)) }
    }

    func id(at index: Int) -> String {
        var place = starts[index]
        return text(&place)
    }

    subscript(index: Int) -> Tenant {
        var place = starts[index]
        let end = index + 1 < starts.count ? starts[index + 1] : bytes.count
        var tenant = Tenant(id: text(&place))
        while place < end {
            let column = length(&place)
            let value = text(&place)
            switch column {
            case 0: tenant.schema = value
            case 1: tenant.url = Redacted(value)
            default: tenant.labels[columns[column]] = value
            }
        }
        return tenant
    }

    private mutating func number(of column: String) -> Int {
        if let number = numbers[column] { return number }
        numbers[column] = columns.count
        columns.append(column)
        return columns.count - 1
    }

    private mutating func put(_ text: String, column: Int) {
        put(column)
        put(text)
    }

    private mutating func put(_ text: String) {
        put(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more follow.
    private mutating func put(_ number: Int) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private func length(_ place: inout Int) -> Int {
        var number = 0
        var shift = 0
        while true {
            let byte = bytes[place]
            place += 1
            number |= Int(byte & 0x7F) << shift
            guard byte >= 0x80 else { return number }
            shift += 7
        }
    }

    private func text(_ place: inout Int) -> String {
        let count = length(&place)
        defer { place += count }
        return String(decoding: bytes[place..<place + count], as: UTF8.self)
    }
}

/// Where the lines of a text begin.
struct LineTable {
    private let newlines: [Int]

    init(_ bytes: [UInt8]) {
        newlines = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }
    }

    /// The 1-based line of the byte at an index.
    func line(at index: Int) -> Int {
        var low = 0
        var high = newlines.count
        while low < high {
            let middle = (low + high) / 2
            if newlines[middle] < index { low = middle + 1 } else { high = middle }
        }
        return low + 1
    }
}

/// The lines of a text, to say where a byte stands.
struct TextLines: Sendable {
    private let bytes: [UInt8]
    /// The first byte of each line. LF, CR LF and a lone CR each end one.
    private let starts: [Int]

    init(_ text: String) {
        bytes = Array(text.utf8)
        var starts = [0]
        for (index, byte) in bytes.enumerated() {
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") && next != UInt8(ascii: "\n") {
                starts.append(index + 1)
            }
        }
        self.starts = starts
    }

    func place(ofByte offset: Int) -> TextPlace {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle } else { high = middle }
        }
        // Every byte but a continuation byte begins a scalar.
        let column = 1 + bytes[starts[low]..<min(offset, bytes.count)].count { $0 & 0xC0 != 0x80 }
        return TextPlace(line: low + 1, column: column)
    }
}

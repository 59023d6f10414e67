/// C strings for libpq, some of them absent: one buffer, and pointers into it for as long as they are lent.
struct CStringTable {
    private var bytes: [CChar] = []
    private var offsets: [Int?] = []

    init() {}

    init(_ strings: [String?]) {
        for string in strings { append(string.map { Array($0.utf8) }) }
    }

    mutating func append(_ string: [UInt8]?) {
        guard let string else { return offsets.append(nil) }
        offsets.append(bytes.count)
        bytes.append(contentsOf: string.lazy.map { CChar(bitPattern: $0) })
        bytes.append(0)
    }

    /// Lends the array of pointers; a null pointer stands behind the last one, as libpq's parameter arrays want it.
    func lend<Answer>(_ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Answer) -> Answer {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            var pointers = unsafe offsets.map { offset in
                unsafe offset.flatMap { unsafe buffer.baseAddress?.advanced(by: $0) }
            }
            unsafe pointers.append(nil)
            return unsafe pointers.withUnsafeBufferPointer { pointers in
                guard let first = pointers.baseAddress else { preconditionFailure("the array is never empty") }
                return unsafe body(first)
            }
        }
    }
}

import FuzzProperties

private let properties = Result { try TenantProperties() }

/// Called by libFuzzer with each input. A property that does not hold is a trap, which libFuzzer reports.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do { try properties.get().check(unsafe Array(UnsafeBufferPointer(start: start, count: count))) } catch {
        // The finding itself.
        fatalError("\(error)")
    }
    return 0
}

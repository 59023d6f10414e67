import Foundation

/// Demands that reading takes time linear to the length: processor time, which the load of the machine does not change.
///
/// An input that is short is repeated to a length where a square would take minutes; one in `share` inputs is tried.
func demandLinearTime(
    _ bytes: [UInt8], share: Int, reading: ([UInt8]) -> Void
) throws(Violation) {
    guard !bytes.isEmpty, bytes.count <= 64, bytes.reduce(17, { ($0 &* 31 &+ Int($1)) & 0xFFFF }) % share == 0 else {
        return
    }
    let long = Array(repeatElement(bytes, count: 200_000 / bytes.count).joined())
    let before = processorTime()
    reading(long)
    let spent = processorTime() - before
    try demand(spent < 10, "\(long.count) bytes took \(spent) s of processor time")
}

private func processorTime() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

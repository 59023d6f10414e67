private import Glibc

/// Blocks the calling thread for so long, signals or not. Only for a thread that belongs to no pool.
package func blockThread(for duration: Duration) {
    let end = ContinuousClock.now + duration
    while case let rest = end - .now, rest > .zero {
        usleep(useconds_t(min(rest, .seconds(60)) / .microseconds(1)) + 1)
    }
}

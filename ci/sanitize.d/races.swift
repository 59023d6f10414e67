import Foundation
import Synchronization

/// One number behind a lock that is fought for, and one behind none: the sanitizer must find the second alone.
final class Numbers: Sendable {
    let locked = Mutex(0)
    // The race that is looked for.
    nonisolated(unsafe) var bare = 0
}

@main
struct Races {
    static func main() {
        let numbers = Numbers()
        let hasRace = CommandLine.arguments.last == "race"
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for _ in 0..<20_000 {
                numbers.locked.withLock { $0 += 1 }
                if hasRace { numbers.bare += 1 }
            }
        }
        print(numbers.locked.withLock { $0 })
    }
}

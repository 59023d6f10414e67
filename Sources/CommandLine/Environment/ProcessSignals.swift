import Dispatch
import Glibc
import Synchronization

/// The process's own INT and TERM.
///
/// While somebody listens, their default handlers are off. The third signal finds them on again: a process that does
/// not stop can still be ended from the keyboard.
package struct ProcessSignals: SignalSource {
    private static let numbers = [SIGINT, SIGTERM]

    package init() {}

    package func listen(_ handler: @escaping @Sendable (Int32) -> Void) -> any SignalSubscription {
        let count = Counter()
        let queue = DispatchQueue(label: "muster.signals")
        let sources = Self.numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                if count.next() == 2 { Self.restoreDefaults() }
                handler(number)
            }
            source.resume()
            return source
        }
        return Subscription(sources)
    }

    private static func restoreDefaults() {
        for number in numbers { signal(number, SIG_DFL) }
    }

    private final class Counter: Sendable {
        private let count = Atomic(0)

        func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    private final class Subscription: SignalSubscription {
        private let sources: Mutex<[any DispatchSourceSignal]>

        init(_ sources: sending [any DispatchSourceSignal]) { self.sources = Mutex(sources) }

        func cancel() {
            sources.withLock { sources in
                for source in sources { source.cancel() }
            }
            ProcessSignals.restoreDefaults()
        }
    }
}

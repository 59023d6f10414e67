import Reporting
import RunbookModel
import RunbookRunner

/// What a rehearsal says on the way, a line each on stderr.
struct RehearsalNotes: EventSink {
    let output: (any TextOutput)?
    let masker: Masker

    func send(_ event: RunEvent) {
        guard case .message(let text) = event else { return }
        output?.write(masker(text).printable + "\n")
    }
}

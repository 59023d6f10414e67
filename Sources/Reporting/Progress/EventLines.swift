package import RunbookModel

/// Writes each event as one NDJSON line. The summary is the caller's to write, so that it is the last line and carries
/// the exit code that the process ends with.
package struct EventLines: EventSink {
    private let output: any TextOutput
    private let timepiece: any Timepiece
    private let masker: Masker

    package init(output: any TextOutput, timepiece: any Timepiece, masker: Masker) {
        self.output = output
        self.timepiece = timepiece
        self.masker = masker
    }

    package func send(_ event: RunEvent) {
        if case .summary = event { return }
        guard let line = try? masker(event).json(at: timepiece.now).line else { return }
        output.write(line + "\n")
    }
}

/// Hands each event to several sinks.
package struct EventFork: EventSink {
    private let sinks: [any EventSink]

    package init(_ sinks: [any EventSink]) { self.sinks = sinks }

    package func send(_ event: RunEvent) {
        for sink in sinks { sink.send(event) }
    }
}

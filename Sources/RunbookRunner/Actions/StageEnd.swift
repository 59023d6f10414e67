/// What became of the scripts of a stage's message; nothing is said of those that were not reached.
struct StageEnd {
    struct Script {
        /// Index among the scripts that were sent.
        var index: Int
        var end: ActionEnd
        /// What the server measured; nil when it did not say.
        var milliseconds: Int?
    }

    private(set) var scripts: [Script] = []
    /// The message could not be sent, or be read by the server: nothing of it was run, and one of its scripts is to
    /// blame. They are to be sent one by one.
    var isUnread = false

    /// Whether what was committed has reached the disk.
    var isOnDisk = true

    /// Nothing is known of those behind: something is on record there that only a full claim judges.
    var isUnclear = false

    init(isUnread: Bool = false) { self.isUnread = isUnread }

    init(_ end: ActionEnd, of index: Int = 0) { add(end, of: index) }

    mutating func add(_ end: ActionEnd, of index: Int, milliseconds: Int? = nil) {
        scripts.append(Script(index: index, end: end, milliseconds: milliseconds))
    }

    mutating func replaceLast(_ end: ActionEnd) {
        guard !scripts.isEmpty else { return }
        scripts[scripts.count - 1].end = end
    }
}

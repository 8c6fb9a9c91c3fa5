// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Platform
import Synchronization

/// Where this process's log lines go.
///
/// Where standard error is the journal and the format is text, they go to journald with their fields. Otherwise to
/// standard error, whole lines, one write each: who asks for JSON gets JSON, also under systemd.
///
/// Writing never waits. Lines that journald does not take now go to standard error without fields, lines that standard error does
/// not take is lost; both are counted, and the counts are told with the next line that goes. Faults that repeat are told
/// by count: ``RepeatLimiter``.
public final class LogOutput: Sendable {
    /// The process's own.
    public static let standard = LogOutput()

    private let levelRank = Atomic<Int>(LogOutput.rank(.info))
    private let isJSON = Atomic<Bool>(false)
    private let hasPriorities = Atomic<Bool>(false)
    private let lostLines = Atomic<Int>(0)
    private let plainLines = Atomic<Int>(0)
    private let component = Mutex("fodc")
    private let repeats = Mutex(RepeatLimiter())
    /// Where entries with fields go; `nil`: nowhere.
    private let journal = Mutex<JournalSocket?>(nil)

    /// Call once at the start of the process, before the first logger is made.
    ///
    /// - Parameters:
    ///   - component: in every line: `supervisor`, `ingest-0`, `exporter`.
    ///   - level: `trace`, `debug`, `info`, `warning` or `error`; anything else is `info`.
    ///   - format: `text` or `json`.
    public static func start(component: String, level: String, format: String) {
        standard.component.withLock { $0 = component }
        standard.isJSON.store(format == "json", ordering: .relaxed)
        standard.setLevel(level)
        let journalStream = getenv("JOURNAL_STREAM").map { String(cString: $0) }
        let isJournal = StandardError.isJournal(journalStream: journalStream)
        standard.hasPriorities.store(isJournal, ordering: .relaxed)
        if isJournal, format != "json" {
            standard.journal.withLock { $0 = JournalSocket() }
        }
        LoggingSystem.bootstrap { label in LineLogHandler(label: label) }
        // An end in order leaves nothing untold.
        atexit { LogOutput.standard.writeAllRepeats() }
    }

    /// Opens all that later lines need, for a process that will not be able to.
    public func prepareForSandbox() {
        StandardError.prepare()
        journal.withLock { _ = $0?.connect() }
    }

    /// Writes what was kept back of faults that repeat, where it is time. To be called about once a second: what has
    /// ceased is told by nobody else.
    public func writeRepeats() {
        let now = MonotonicClock.nowNanoseconds()
        for line in repeats.withLock({ $0.takeDue(nowNanoseconds: now) }) { put(line) }
    }

    /// The same of all, due or not: for an end that calls no exit handlers.
    public func writeAllRepeats() {
        for line in repeats.withLock({ $0.takeAll() }) { put(line) }
    }

    /// Changes the level of all loggers that have not been given their own. `false` if there is no such level.
    @discardableResult
    public func setLevel(_ name: String) -> Bool {
        guard let level = Logger.Level(rawValue: name) else { return false }
        levelRank.store(Self.rank(level), ordering: .relaxed)
        return true
    }

    var level: Logger.Level {
        Logger.Level.allCases[levelRank.load(ordering: .relaxed)]
    }

    func write(_ event: LogEvent, label: String, metadata: Logger.Metadata) {
        let line = LogLine(
            wallNanoseconds: WallClock.nowNanoseconds(), level: event.level, component: component.withLock { $0 },
            label: label, message: event.message.description, error: event.error.map { "\($0)" }, metadata: metadata)
        let now = MonotonicClock.nowNanoseconds()
        for line in repeats.withLock({ $0.admit(line, nowNanoseconds: now) }) { put(line) }
    }

    private func put(_ given: LogLine) {
        var line = given
        line.lostLines = lostLines.exchange(0, ordering: .relaxed)
        line.plainLines = plainLines.exchange(0, ordering: .relaxed)
        // If the sender has exited before it looks, journald cannot tell of which unit an entry is; a line of standard
        // error always has its unit. Critical is what a process says before it ends.
        if line.level < .critical, let journal = journal.withLock({ $0 }) {
            if journal.send(JournalEntry(line).bytes) { return }
            plainLines.add(1, ordering: .relaxed)
        }
        let bytes = line.bytes(
            isJSON: isJSON.load(ordering: .relaxed), hasPriority: hasPriorities.load(ordering: .relaxed))
        if !StandardError.write(bytes) {
            lostLines.add(line.lostLines + 1, ordering: .relaxed)
            plainLines.add(line.plainLines, ordering: .relaxed)
        }
    }

    private static func rank(_ level: Logger.Level) -> Int {
        Logger.Level.allCases.firstIndex(of: level)!  // allCases has all cases
    }
}

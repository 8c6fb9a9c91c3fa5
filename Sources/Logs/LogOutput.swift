// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Platform
import Synchronization

/// Where this process's log lines go: standard error, whole lines, one write each.
///
/// Writing never waits: a line that standard error does not take now is lost and counted, and the count is told with
/// the next line that goes.
public final class LogOutput: Sendable {
    /// The process's own.
    public static let standard = LogOutput()

    private let levelRank = Atomic<Int>(LogOutput.rank(.info))
    private let isJSON = Atomic<Bool>(false)
    private let hasPriorities = Atomic<Bool>(false)
    private let lostLines = Atomic<Int>(0)
    private let component = Mutex("fodc")

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
        standard.hasPriorities.store(StandardError.isJournal(journalStream: journalStream), ordering: .relaxed)
        LoggingSystem.bootstrap { label in LineLogHandler(label: label) }
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
        var line = LogLine(
            wallNanoseconds: WallClock.nowNanoseconds(), level: event.level, component: component.withLock { $0 },
            label: label, message: event.message.description, error: event.error.map { "\($0)" }, metadata: metadata)
        let lost = lostLines.exchange(0, ordering: .relaxed)
        if lost > 0 {
            line.lostLines = lost
        }
        let bytes = line.bytes(
            isJSON: isJSON.load(ordering: .relaxed), hasPriority: hasPriorities.load(ordering: .relaxed))
        if !StandardError.write(bytes) {
            lostLines.add(lost + 1, ordering: .relaxed)
        }
    }

    private static func rank(_ level: Logger.Level) -> Int {
        Logger.Level.allCases.firstIndex(of: level)!  // allCases has all cases
    }
}

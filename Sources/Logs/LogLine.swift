// SPDX-License-Identifier: Apache-2.0
import Calendar
import JSONWriting
import Logging
import Platform

/// One log line and its two forms on standard error; for the journal's see ``JournalEntry``. A line is one line whatever
/// the message holds: it may come from the network.
///
///     2026-01-31T12:00:00.000Z info supervisor: ready workers=2 listening=":17912 :17913"
///     {"time":"2026-01-31T12:00:00.000Z","level":"info","module":"fodc-proxy","component":"supervisor","message":"ready","workers":"2"}
public struct LogLine: Sendable {
    public var wallNanoseconds: Int64
    public var level: Logger.Level
    /// Which process.
    public var component: String
    /// Which part of it; left out where it is the component's name again.
    public var label: String
    public var message: String
    public var error: String?
    public var metadata: Logger.Metadata
    /// Lines that could not be written before this one.
    public var lostLines = 0
    /// Lines before this one that went to standard error, without fields, since journald did not take them.
    public var plainLines = 0
    /// This line is the last of so many alike, of which the others were kept back; 0: it stands for itself.
    public var repeats = 0

    public init(
        wallNanoseconds: Int64, level: Logger.Level, component: String, label: String, message: String,
        error: String? = nil, metadata: Logger.Metadata = [:]
    ) {
        self.wallNanoseconds = wallNanoseconds
        self.level = level
        self.component = component
        self.label = label
        self.message = message
        self.error = error
        self.metadata = metadata
    }

    /// The line with its end. `hasPriority`: begins with systemd's `<6>`.
    public func bytes(isJSON: Bool, hasPriority: Bool) -> [UInt8] {
        var line = hasPriority ? "<\(priority)>" : ""
        line += isJSON ? json : text
        var bytes = Array(line.utf8)
        // An over-long line is cut, so that it stays atomic on a pipe.
        if bytes.count + 1 > StandardError.atomicBytes {
            return isJSON
                ? shortened.bytes(isJSON: true, hasPriority: hasPriority)
                : Self.cut(bytes, to: StandardError.atomicBytes - 1) + [UInt8(ascii: "\n")]
        }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// The numbers of syslog's severities, which the journal knows.
    var priority: Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    /// Fields after the message, sorted by name so that lines can be compared.
    var fields: [(name: String, value: String)] {
        var fields = metadata.map { (name: $0.key, value: "\($0.value)") }.sorted { $0.name < $1.name }
        if let error { fields.append(("error", error)) }
        if repeats > 0 { fields.append((Self.repeatsField, String(repeats))) }
        if lostLines > 0 { fields.append(("lost_log_lines", String(lostLines))) }
        if plainLines > 0 { fields.append(("plain_log_lines", String(plainLines))) }
        return fields
    }

    private static let repeatsField = "repeats"
    /// The program, as the Go proxy's log lines name theirs.
    static let module = "fodc-proxy"

    var hasLabel: Bool { label != component && !label.isEmpty }

    private var text: String {
        "\(time) \(level) \(journalText)"
    }

    /// The text without what the journal shows by itself: `ingest-0/grpc: agent gone pod=data-0`.
    var journalText: String {
        var line = hasLabel ? "\(component)/\(label): " : "\(component): "
        Self.appendEscaped(message, to: &line, isQuoted: false)
        if repeats > 1 { line += " (and \(repeats - 1) more like it)" }
        for (name, value) in fields where name != Self.repeatsField {
            line += " "
            Self.appendEscaped(name, to: &line, isQuoted: false)
            line += "="
            let isPlain =
                !value.isEmpty
                && value.unicodeScalars.allSatisfy { $0 != " " && $0 != "\"" && $0 != "\\" && !Self.isControl($0) }
            if isPlain {
                line += value
            } else {
                line += "\""
                Self.appendEscaped(value, to: &line, isQuoted: true)
                line += "\""
            }
        }
        return line
    }

    private var json: String {
        var json = JSONWriter(escapes: .logs)
        json.object { json in
            json.member("time", time)
            json.member("level", level.rawValue)
            json.member("module", Self.module)
            json.member("component", component)
            if hasLabel { json.member("part", label) }
            json.member("message", message)
            for (name, value) in fields { json.member(named: name) { $0.string(value) } }
        }
        return json.text
    }

    /// UTC, cut to milliseconds.
    private var time: String {
        RFC3339.text(EpochTime(nanosecondsSinceEpoch: wallNanoseconds), fraction: .milliseconds)
    }

    /// With the message cut and the fields gone: what always fits.
    private var shortened: LogLine {
        var line = self
        // Escaping makes at most six bytes of one.
        line.message = String(message.unicodeScalars.prefix(StandardError.atomicBytes / 16)) + "…"
        line.metadata = [:]
        line.error = nil
        return line
    }

    /// `bytes`, if they are more than `limit` cut before a character and with a mark at the end.
    static func cut(_ bytes: [UInt8], to limit: Int) -> [UInt8] {
        guard bytes.count > limit else { return bytes }
        let mark = Array("…".utf8)
        var count = limit - mark.count
        while count > 0, bytes[count] & 0xC0 == 0x80 { count -= 1 }
        return bytes.prefix(count) + mark
    }

    /// C0, DEL and C1: terminals dispatch the latter, too.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }

    /// Control characters become `\n`, `\t` or `\u00XX`; quotes and backslashes are escaped inside quotes.
    private static func appendEscaped(_ text: String, to line: inout String, isQuoted: Bool) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": line += "\\n"
            case "\t": line += "\\t"
            case "\"" where isQuoted: line += "\\\""
            case "\\" where isQuoted: line += "\\\\"
            case _ where isControl(scalar):
                let digits = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: line.unicodeScalars.append(scalar)
            }
        }
    }
}

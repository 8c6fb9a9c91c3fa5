// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform

/// One log line and its two forms. A line is one line whatever the message holds: it may come from the network.
///
///     2026-01-31T12:00:00.000Z info supervisor: ready workers=2 listening=":17912 :17913"
///     {"time":"2026-01-31T12:00:00.000Z","level":"info","component":"supervisor","message":"ready","workers":"2"}
public struct LogLine {
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
            return isJSON ? shortened.bytes(isJSON: true, hasPriority: hasPriority) : Self.cut(bytes)
        }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// The numbers of syslog's severities, which the journal knows.
    private var priority: Int {
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
    private var fields: [(name: String, value: String)] {
        var fields = metadata.map { (name: $0.key, value: "\($0.value)") }.sorted { $0.name < $1.name }
        if let error { fields.append(("error", error)) }
        if lostLines > 0 { fields.append(("lost_log_lines", String(lostLines))) }
        return fields
    }

    private var hasLabel: Bool { label != component && !label.isEmpty }

    private var text: String {
        var line = "\(Timestamp.rfc3339(wallNanoseconds: wallNanoseconds)) \(level) \(component)"
        if hasLabel { line += "/\(label)" }
        line += ": "
        Self.appendEscaped(message, to: &line, isQuoted: false)
        for (name, value) in fields {
            line += " \(name)="
            let isPlain =
                !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x5C && $0 != 0x7F }
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
        var line = "{\"time\":\"\(Timestamp.rfc3339(wallNanoseconds: wallNanoseconds))\",\"level\":\"\(level)\""
        var fields = fields
        fields.insert(("message", message), at: 0)
        if hasLabel { fields.insert(("part", label), at: 0) }
        fields.insert(("component", component), at: 0)
        for (name, value) in fields {
            line += ",\""
            Self.appendEscaped(name, to: &line, isQuoted: true)
            line += "\":\""
            Self.appendEscaped(value, to: &line, isQuoted: true)
            line += "\""
        }
        return line + "}"
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

    /// `bytes` cut before a character, with a mark at the end.
    private static func cut(_ bytes: [UInt8]) -> [UInt8] {
        let end = Array("…\n".utf8)
        var count = StandardError.atomicBytes - end.count
        while count > 0, bytes[count] & 0xC0 == 0x80 { count -= 1 }
        return bytes.prefix(count) + end
    }

    /// Control characters become `\n`, `\t` or `\u00XX`; quotes and backslashes are escaped inside quotes.
    private static func appendEscaped(_ text: String, to line: inout String, isQuoted: Bool) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": line += "\\n"
            case "\t": line += "\\t"
            case "\"" where isQuoted: line += "\\\""
            case "\\" where isQuoted: line += "\\\\"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: line.unicodeScalars.append(scalar)
            }
        }
    }
}

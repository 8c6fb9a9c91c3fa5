// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform

/// A log line as journald takes it: a text for people, and its parts as fields to search by.
///
///     journalctl -u fodc-proxy FODC_POD=banyandb-data-0 PRIORITY=4
///
/// Names and values may come from the network: names are corrected, values are bounded and may hold any byte.
struct JournalEntry {
    /// Bytes of one value at most; what is longer is cut before a character and marked.
    static let limitValueBytes = 2048
    /// Fields out of metadata at most. Loggers here have a handful; with all at their limits an entry still fits.
    static let limitFields = 24
    /// journald refuses longer names.
    static let limitNameBytes = 64

    private(set) var bytes: [UInt8] = []

    init(_ line: LogLine) {
        append("MESSAGE", line.journalText)
        append("PRIORITY", String(line.priority))
        append("SYSLOG_IDENTIFIER", LogLine.module)
        append("FODC_WORKER", line.component)
        if line.hasLabel { append("FODC_PART", line.label) }
        for (name, value) in line.fields.prefix(Self.limitFields) {
            append(Self.fieldName(name), value)
        }
    }

    /// `FODC_AGENT` for the id of an agent, `FODC_POD` for its pod, otherwise `FODC_` and the name in capitals.
    static func fieldName(_ name: String) -> String {
        switch name {
        case "agent_id": return "FODC_AGENT"
        // A field may come twice: the process that writes the line, and the worker that it is about.
        case "worker": return "FODC_WORKER"
        default:
            let letters = name.uppercased().utf8.map { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
                default: UInt8(ascii: "_")
                }
            }
            return String(decoding: Array("FODC_".utf8) + letters.prefix(limitNameBytes - 5), as: UTF8.self)
        }
    }

    /// A value with a line break goes with its length (64 bits, little-endian), any other as `NAME=value`.
    private mutating func append(_ name: String, _ value: String) {
        let value = LogLine.cut(Array(value.utf8), to: Self.limitValueBytes)
        bytes += Array(name.utf8)
        if value.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            let count = UInt64(value.count)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value
        bytes.append(UInt8(ascii: "\n"))
    }
}

// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Calendar
import JSONWriting

extension JSONWriter {
    /// A time, or `null`.
    mutating func member(_ name: StaticString, nanoseconds: Int64?) {
        member(name, optional: nanoseconds) { $0.time(EpochTime(nanosecondsSinceEpoch: $1)) }
    }

    mutating func member(_ name: StaticString, nanoseconds: Int64) {
        member(name) { $0.time(EpochTime(nanosecondsSinceEpoch: nanoseconds)) }
    }

    /// The members that say which node it is and whether it is there.
    mutating func identity(of node: StoredNode) {
        member("pod_name", node.podName)
        member("agent_id", node.agentID)
        member("role", node.role)
        member("state", node.goneAtNanoseconds == nil ? "live" : "gone")
        member("gone_at", nanoseconds: node.goneAtNanoseconds)
        member("gone_reason", optional: node.goneReason) { $0.string($1) }
    }
}

/// A part of a path, so that any name can stand in it.
enum PathPart {
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }
}

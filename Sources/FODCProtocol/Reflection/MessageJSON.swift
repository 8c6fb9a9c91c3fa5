// SPDX-License-Identifier: Apache-2.0
import Metrics
import SwiftProtobuf

/// Messages as JSON, driven by their own descriptions. The library's JSON leaves out every field that is unset or zero;
/// clients of the Go proxy rely on all of them.
///
/// Fields have the names of the `.proto` file and come in the order of their numbers, maps in the order of their keys:
/// the same message gives the same bytes. Any content gives valid JSON.
public enum MessageJSON {
    public enum Style: Sendable {
        /// Protobuf's JSON mapping with every field present: unset messages are `null`, 64-bit integers strings, times
        /// RFC 3339 with none, three, six or nine digits of a second's fraction.
        case complete
        /// Zero values, unset messages, empty lists and maps are left out, all integers are numbers, times are
        /// `{"seconds":1,"nanos":2}` (zero parts left out).
        case compact
    }

    /// Appends `message` as an object (a `google.protobuf.Timestamp` as the style says).
    public static func append<M: Message>(_ message: M, style: Style, to text: inout [UInt8]) {
        var walk = FieldWalk(sink: JSONSink(style: style, text: text))
        // The walk's text is the only one now: appending to it copies nothing.
        text = []
        if walk.sink.message(M.self, message) {
            walk.walk(message)
            walk.sink.endMessage()
        }
        swap(&text, &walk.sink.text)
    }

    /// Appends `"name":value` for each field that the style shows, with commas between them and no braces around.
    /// - Returns: whether there was any.
    public static func appendFields<M: Message>(of message: M, style: Style, to text: inout [UInt8]) -> Bool {
        let start = text.count
        var walk = FieldWalk(sink: JSONSink(style: style, text: text))
        text = []
        walk.walk(message)
        swap(&text, &walk.sink.text)
        return text.count > start
    }
}

// SPDX-License-Identifier: Apache-2.0
import Platform

/// Chooses series: by a metric's name, or by that and some of the labels: `name{label="value",other="value"}`.
public struct SeriesMatch: Equatable, Sendable {
    struct Label: Equatable, Sendable {
        var name: [UInt8]
        /// Without escapes.
        var value: [UInt8]
    }

    let name: [UInt8]
    let labels: [Label]

    /// How a match is written, for messages.
    public static let allowed =
        "name or name{label=\"value\"}, such as banyandb_system_up_time{node_role=\"ROLE_DATA\"}"

    /// nil for anything that is not written like that.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        let nameEnd = bytes.firstIndex(of: UInt8(ascii: "{")) ?? bytes.count
        let nameBytes = Array(bytes[..<nameEnd])
        guard NameRules.isMetricName(nameBytes.span.bytes) else { return nil }
        name = nameBytes
        var found: [Label] = []
        guard nameEnd < bytes.count else {
            labels = found
            return
        }
        var end = nameEnd + 1
        // Read as a series' text is.
        var reader = SeriesLabels(bytes.span.bytes, nameBytes: nameEnd)
        while let label = reader.next(bytes.span.bytes) {
            let labelName = Array(bytes[label.name])
            guard NameRules.isLabelName(labelName.span.bytes) else { return nil }
            found.append(Label(name: labelName, value: SeriesLabels.unescaped(bytes.span.bytes, label.value)))
            end = label.value.upperBound + 1
            if end < bytes.count, bytes[end] == UInt8(ascii: ",") { end += 1 }
        }
        guard !found.isEmpty, end == bytes.count - 1, bytes[end] == UInt8(ascii: "}") else { return nil }
        labels = found
    }

    func accepts(name other: [UInt8]) -> Bool { name == other }

    /// - Parameter text: `name{a="1"} ` with the name that has been accepted.
    func acceptsLabels(of text: RawSpan) -> Bool {
        labels.allSatisfy { SeriesLabels.value(of: $0.name, in: text, nameBytes: name.count) == $0.value }
    }
}

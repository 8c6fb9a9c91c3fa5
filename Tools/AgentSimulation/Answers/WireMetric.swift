// SPDX-License-Identifier: Apache-2.0

/// One `Metric` on its way into a `StreamMetricsRequest`. Texts are bytes, so that invalid UTF-8 can be sent too.
struct WireMetric {
    var name: [UInt8]
    /// In the order in which they are written.
    var labels: [(name: [UInt8], value: [UInt8])]
    /// Left out if it is 0 (but not if it is -0), as Go does.
    var value: Double
    var help: [UInt8]
    /// Whole seconds, as agents record them; `nil` leaves the timestamp out.
    var seconds: Int64?
    var type: UInt8
    /// Bytes after the last field: fields that the proxy does not know.
    var unknownFields: [UInt8] = []

    /// Where, in bytes from the start of the field `metrics`, the parts lie that differ between answers.
    struct Places {
        /// `nil` if there is no value field.
        var value: Int?
        /// The varint of the seconds; `nil` without a timestamp.
        var seconds: Int?
        /// The value of the label asked for; `nil` if the metric has no such label.
        var label: Int?
        var byteCount: Int
    }

    /// Appends the field `metrics` (key, length, message) with its fields in the order of their numbers, as Go writes
    /// them.
    ///
    /// - Parameter marked: the label whose value's place is wanted.
    @discardableResult
    func append(to bytes: inout [UInt8], marking marked: Int? = nil) -> Places {
        var body: [UInt8] = []
        var places = Places(byteCount: 0)
        body.appendField(WireField.lengthDelimited1, name)
        for (index, label) in labels.enumerated() {
            var entry: [UInt8] = []
            entry.appendField(WireField.lengthDelimited1, label.name, evenIfEmpty: true)
            entry.appendField(WireField.lengthDelimited2, label.value, evenIfEmpty: true)
            body.appendField(WireField.lengthDelimited2, entry)
            if index == marked { places.label = body.count - label.value.count }
        }
        if value.bitPattern != 0 {
            body.append(WireField.double3)
            places.value = body.count
            body.appendLittleEndian(value.bitPattern)
        }
        body.appendField(WireField.lengthDelimited4, help)
        if let seconds {
            let fields = [UInt8].timestampFields(seconds: seconds, nanoseconds: 0)
            places.seconds = body.count + 3  // key and length of the timestamp, key of the seconds
            body.appendField(WireField.lengthDelimited5, fields, evenIfEmpty: true)
        }
        body.append(WireField.varint6)
        body.append(type)
        body += unknownFields

        let prefix = 1 + WireField.varintBytes(UInt64(body.count))
        bytes.append(WireField.lengthDelimited1)
        bytes.appendVarint(UInt64(body.count))
        bytes += body
        places.byteCount = prefix + body.count
        places.value = places.value.map { $0 + prefix }
        places.seconds = places.seconds.map { $0 + prefix }
        places.label = places.label.map { $0 + prefix }
        return places
    }
}

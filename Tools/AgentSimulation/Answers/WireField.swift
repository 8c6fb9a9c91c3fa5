// SPDX-License-Identifier: Apache-2.0

/// The few pieces of protobuf's wire format that metrics need, written by hand: an answer is made of hundreds of
/// thousands of metrics, most of whose bytes never change.
enum WireField {
    /// Keys (number, wire type) of `Metric`'s fields and of those around them.
    static let lengthDelimited1: UInt8 = 0x0A
    static let lengthDelimited2: UInt8 = 0x12
    static let double3: UInt8 = 0x19
    static let lengthDelimited4: UInt8 = 0x22
    static let lengthDelimited5: UInt8 = 0x2A
    static let varint1: UInt8 = 0x08
    static let varint2: UInt8 = 0x10
    static let varint6: UInt8 = 0x30

    static func varintBytes(_ value: UInt64) -> Int {
        max(1, (64 - value.leadingZeroBitCount + 6) / 7)
    }
}

extension [UInt8] {
    mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// A length-delimited field; protobuf leaves out what is empty.
    mutating func appendField(_ key: UInt8, _ value: some Collection<UInt8>, evenIfEmpty: Bool = false) {
        guard evenIfEmpty || !value.isEmpty else { return }
        append(key)
        appendVarint(UInt64(value.count))
        append(contentsOf: value)
    }

    mutating func appendLittleEndian(_ value: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
    }

    /// The fields of a `google.protobuf.Timestamp`; zeros are left out.
    static func timestampFields(seconds: Int64, nanoseconds: Int32) -> [UInt8] {
        var fields: [UInt8] = []
        if seconds != 0 {
            fields.append(WireField.varint1)
            fields.appendVarint(UInt64(bitPattern: seconds))
        }
        if nanoseconds != 0 {
            fields.append(WireField.varint2)
            fields.appendVarint(UInt64(bitPattern: Int64(nanoseconds)))
        }
        return fields
    }
}

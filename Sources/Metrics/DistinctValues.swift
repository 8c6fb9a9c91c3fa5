// SPDX-License-Identifier: Apache-2.0

/// The few values that a label has in a table: two tables can have a series in common only when their pod names
/// overlap, and a filter that equals the only value needs no look at the series. Above `maxValues` it is "any".
///
/// It may hold values that no series has any more; it never lacks one that a series has.
struct DistinctValues: Equatable, Sendable {
    static let maxValues = 16

    private(set) var values: [[UInt8]] = []
    private(set) var isAny = false

    init() {}

    init(values: [[UInt8]], isAny: Bool) {
        self.values = values
        self.isAny = isAny || values.count > Self.maxValues
        if self.isAny { self.values = [] }
    }

    mutating func insert(_ value: RawSpan) {
        if isAny || contains(value) { return }
        if values.count == Self.maxValues {
            isAny = true
            values = []
        } else {
            values.append(value.array(0..<value.byteCount))
        }
    }

    func contains(_ value: RawSpan) -> Bool {
        values.contains { ByteOrder.areEqual($0.span.bytes, value) }
    }

    mutating func formUnion(_ other: DistinctValues) {
        if other.isAny {
            isAny = true
            values = []
        }
        for value in other.values { insert(value.span.bytes) }
    }
}

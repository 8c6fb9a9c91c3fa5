// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform

/// What of a ``SchemaConsistency`` outlives the process. Integers are little-endian `UInt32`:
///
///     version
///     count of strings, then each: length, UTF-8
///     count of verdicts, then each: group, status
///     count of counters, then each: group, kind, name, node
///
/// where group, kind, name and node are indexes into the strings.
enum SchemaEncoding {
    static let version: UInt32 = 1
    private static let wordBytes = MemoryLayout<UInt32>.size
    /// Version and counts.
    static let fixedBytes = 4 * wordBytes
    static let verdictBytes = 2 * wordBytes
    static let counterBytes = 4 * wordBytes

    static func bytes(of text: String) -> Int { wordBytes + text.utf8.count }
}

extension SchemaConsistency {
    public var encoded: [UInt8] {
        var strings: [String] = []
        var indexes: [ExactText: UInt32] = [:]
        var body: [UInt8] = []
        func append(_ value: UInt32, to bytes: inout [UInt8]) {
            for shift in stride(from: 0, to: UInt32(UInt32.bitWidth), by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
        func append(_ text: String, to bytes: inout [UInt8]) {
            let exact = ExactText(text)
            let index = indexes[exact] ?? UInt32(strings.count)
            if index == strings.count {
                indexes[exact] = index
                strings.append(text)
            }
            append(index, to: &bytes)
        }
        append(UInt32(verdicts.count), to: &body)
        for (group, status) in verdicts.sorted(by: { $0.key < $1.key }) {
            append(group.text, to: &body)
            append(UInt32(status.rawValue), to: &body)
        }
        append(UInt32(counted.values.reduce(0) { $0 + $1.count }), to: &body)
        for (group, places) in counted.sorted(by: { $0.key < $1.key }) {
            for place in places.sorted(by: { ($0.object, $0.node) < ($1.object, $1.node) }) {
                append(group.text, to: &body)
                append(place.object.kind, to: &body)
                append(place.object.name, to: &body)
                append(place.node.text, to: &body)
            }
        }
        var bytes: [UInt8] = []
        append(SchemaEncoding.version, to: &bytes)
        append(UInt32(strings.count), to: &bytes)
        for text in strings {
            append(UInt32(text.utf8.count), to: &bytes)
            bytes.append(contentsOf: text.utf8)
        }
        return bytes + body
    }

    /// Nil for bytes that are not what `encoded` gives, or that are over the limits.
    public init?(encoded: RawSpan, limits: SchemaLimits = SchemaLimits()) {
        guard encoded.byteCount <= limits.encodedBytes else { return nil }
        self.init(limits: limits)
        var reader = Reader(bytes: encoded.copiedBytes)
        do {
            guard try reader.word() == SchemaEncoding.version else { return nil }
            try reader.readStrings()
            for _ in 0..<(try reader.count(atMost: limits.verdicts, of: SchemaEncoding.verdictBytes)) {
                let group = try reader.string()
                let status = Banyandb_Fodc_V1_ConsistencyStatus(rawValue: Int(try reader.word()))
                switch status {
                case .consistent, .inconsistent, .unknown: verdicts[ExactText(group)] = status
                case .unspecified, .UNRECOGNIZED, nil: return nil
                }
            }
            for _ in 0..<(try reader.count(atMost: limits.counters, of: SchemaEncoding.counterBytes)) {
                let group = ExactText(try reader.string())
                let object = SchemaObjectName(kind: try reader.string(), name: try reader.string())
                counted[group, default: []].insert(Place(object: object, node: ExactText(try reader.string())))
            }
        } catch {
            return nil
        }
        guard reader.isAtEnd else { return nil }
    }

    /// Reads what may be anything.
    private struct Reader {
        struct Malformed: Error {}

        let bytes: [UInt8]
        private var position = 0
        private var strings: [String] = []

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        var isAtEnd: Bool { position == bytes.count }

        mutating func word() throws(Malformed) -> UInt32 {
            let size = MemoryLayout<UInt32>.size
            guard bytes.count - position >= size else { throw Malformed() }
            defer { position += size }
            return bytes[position..<position + size].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }

        /// A count of things of `size` bytes or more each, so that no claimed count reserves what the bytes do not
        /// hold.
        mutating func count(atMost limit: Int, of size: Int) throws(Malformed) -> Int {
            let count = Int(try word())
            guard count <= limit, count <= (bytes.count - position) / size else { throw Malformed() }
            return count
        }

        mutating func readStrings() throws(Malformed) {
            let count = try count(atMost: bytes.count, of: MemoryLayout<UInt32>.size)
            strings.reserveCapacity(count)
            for _ in 0..<count {
                let length = Int(try word())
                guard length <= bytes.count - position,
                    let text = String(validating: bytes[position..<position + length], as: UTF8.self)
                else { throw Malformed() }
                strings.append(text)
                position += length
            }
        }

        mutating func string() throws(Malformed) -> String {
            let index = Int(try word())
            guard index < strings.count else { throw Malformed() }
            return strings[index]
        }
    }
}

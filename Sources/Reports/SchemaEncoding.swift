// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import FODCProtocol
import Platform

/// The part of a ``SchemaConsistency`` that outlives the process. Each text is there once, and named by its place.
struct SchemaEncoding: BinaryMessage {
    static let version: UInt8 = 2

    struct Verdict {
        var group: UInt32
        var status: UInt32
    }

    struct Counter {
        var group: UInt32
        var kind: UInt32
        var name: UInt32
        var node: UInt32
    }

    private static let countBytes = MemoryLayout<UInt32>.size
    /// Version and counts.
    static let fixedBytes = MemoryLayout<UInt8>.size + 3 * countBytes
    static let verdictBytes = MemoryLayout<Verdict>.size
    static let counterBytes = MemoryLayout<Counter>.size

    static func bytes(of text: String) -> Int { countBytes + text.utf8.count }

    private(set) var texts: [String] = []
    private var places: [ExactText: UInt32] = [:]
    var verdicts: [Verdict] = []
    var counters: [Counter] = []

    init() {}

    /// The place of a text, which is added if it is new.
    mutating func place(of text: String) -> UInt32 {
        let exact = ExactText(text)
        if let place = places[exact] { return place }
        let place = UInt32(texts.count)
        places[exact] = place
        texts.append(text)
        return place
    }

    func text(at place: UInt32) throws(BinaryError) -> String {
        guard place < texts.count else { throw .invalidValue("there is no text \(place)") }
        return texts[Int(place)]
    }

    func encode(into writer: inout BinaryWriter) {
        writer.append(list: texts) { $0.append($1) }
        writer.append(list: verdicts) { writer, verdict in
            writer.append(verdict.group)
            writer.append(verdict.status)
        }
        writer.append(list: counters) { writer, counter in
            writer.append(counter.group)
            writer.append(counter.kind)
            writer.append(counter.name)
            writer.append(counter.node)
        }
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        texts = try reader.list(ofAtLeast: Self.countBytes) { (reader) throws(BinaryError) in try reader.text() }
        verdicts = try reader.list(ofAtLeast: Self.verdictBytes) { (reader) throws(BinaryError) in
            Verdict(group: try reader.integer(), status: try reader.integer())
        }
        counters = try reader.list(ofAtLeast: Self.counterBytes) { (reader) throws(BinaryError) in
            Counter(
                group: try reader.integer(), kind: try reader.integer(), name: try reader.integer(),
                node: try reader.integer())
        }
    }
}

extension SchemaConsistency {
    public var encoded: [UInt8] {
        var encoding = SchemaEncoding()
        for (group, status) in verdicts.sorted(by: { $0.key < $1.key }) {
            encoding.verdicts.append(.init(group: encoding.place(of: group.text), status: UInt32(status.rawValue)))
        }
        for (group, places) in counted.sorted(by: { $0.key < $1.key }) {
            for place in places.sorted(by: { ($0.object, $0.node) < ($1.object, $1.node) }) {
                encoding.counters.append(
                    .init(
                        group: encoding.place(of: group.text), kind: encoding.place(of: place.object.kind),
                        name: encoding.place(of: place.object.name), node: encoding.place(of: place.node.text)))
            }
        }
        return encoding.encoded
    }

    /// Nil for bytes that are not what `encoded` gives, or that are over the limits.
    public init?(encoded: RawSpan, limits: SchemaLimits = SchemaLimits()) {
        guard encoded.byteCount <= limits.encodedBytes, let encoding = try? SchemaEncoding(encoded: encoded),
            encoding.verdicts.count <= limits.verdicts, encoding.counters.count <= limits.counters
        else { return nil }
        self.init(limits: limits)
        do throws(BinaryError) {
            try take(encoding)
        } catch {
            return nil
        }
    }

    private mutating func take(_ encoding: SchemaEncoding) throws(BinaryError) {
        for verdict in encoding.verdicts {
            let status = Banyandb_Fodc_V1_ConsistencyStatus(rawValue: Int(verdict.status))
            switch status {
            case .consistent, .inconsistent, .unknown:
                verdicts[ExactText(try encoding.text(at: verdict.group))] = status
            case .unspecified, .UNRECOGNIZED, nil:
                throw .unknownValue(number: UInt64(verdict.status), type: "ConsistencyStatus")
            }
        }
        for counter in encoding.counters {
            let object = SchemaObjectName(
                kind: try encoding.text(at: counter.kind), name: try encoding.text(at: counter.name))
            let place = Place(object: object, node: ExactText(try encoding.text(at: counter.node)))
            counted[ExactText(try encoding.text(at: counter.group)), default: []].insert(place)
        }
    }
}

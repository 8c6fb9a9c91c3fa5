// SPDX-License-Identifier: Apache-2.0
import Metrics
import SwiftProtobuf

/// The tables of a profile in the order of the wire: what samples refer to by number. The whole is walked by the careful
/// reader, and each message in it is decoded by generated code, one at a time: so no more than the tables is ever in memory.
struct PprofTables {
    struct Function {
        var name: Int64
        var systemName: Int64
        var file: Int64
    }

    struct Location {
        var address: UInt64
        /// Of ``lines``, the innermost call first.
        var lines: Range<Int32>
    }

    private(set) var sampleTypes: [Perftools_Profiles_ValueType] = []
    /// Index into the strings; 0 when the profile names none.
    private(set) var defaultSampleType: Int64 = 0
    private(set) var functions: [UInt64: Function] = [:]
    private(set) var locations: [UInt64: Location] = [:]
    /// Ids of functions; 0: of none.
    private(set) var lines: [UInt64] = []
    private var strings: [Range<Int32>] = []
    private let limits: PprofLimits

    /// Field numbers of `Profile`.
    private enum Field {
        static let sampleType: UInt64 = 1
        static let sample: UInt64 = 2
        static let location: UInt64 = 4
        static let function: UInt64 = 5
        static let string: UInt64 = 6
        static let defaultSampleType: UInt64 = 14
    }

    init(_ bytes: RawSpan, limits: PprofLimits) throws(PprofError) {
        self.limits = limits
        var sampleCount = 0
        try Self.forEachField(bytes) { (tag, reader) throws(PprofError) in
            switch (tag.field, tag.type) {
            case (Field.sampleType, .lengthDelimited):
                sampleTypes.append(try Self.decode(bytes, &reader, "sample type"))
                guard sampleTypes.count <= PprofLimits.sampleTypes else {
                    throw .tooLarge("sample types", limit: PprofLimits.sampleTypes)
                }
            case (Field.sample, .lengthDelimited):
                sampleCount += 1
                guard sampleCount <= PprofLimits.samples else {
                    throw .tooLarge("samples", limit: PprofLimits.samples)
                }
                _ = try Self.body(bytes, &reader)
            case (Field.location, .lengthDelimited): try addLocation(try Self.decode(bytes, &reader, "location"))
            case (Field.function, .lengthDelimited): try addFunction(try Self.decode(bytes, &reader, "function"))
            case (Field.string, .lengthDelimited):
                let body = try Self.body(bytes, &reader)
                strings.append(Int32(body.lowerBound)..<Int32(body.upperBound))
                try checkEntries()
            case (Field.defaultSampleType, .varint):
                defaultSampleType = Int64(
                    bitPattern: try Self.wire { () throws(DecodeError) in try reader.varint(bytes) })
            default: try Self.wire { () throws(DecodeError) in try reader.skip(tag, bytes) }
            }
        }
        guard !sampleTypes.isEmpty else { throw .malformed("not a profile in pprof's format: it names no sample type") }
    }

    /// Calls `body` with each sample, in the order of the wire.
    static func forEachSample(
        _ bytes: RawSpan, _ body: (Perftools_Profiles_Sample) throws(PprofError) -> Void
    ) throws(PprofError) {
        try forEachField(bytes) { (tag, reader) throws(PprofError) in
            if tag.field == Field.sample, tag.type == .lengthDelimited {
                try body(try decode(bytes, &reader, "sample"))
            } else {
                try wire { () throws(DecodeError) in try reader.skip(tag, bytes) }
            }
        }
    }

    /// The text of a string; bytes that are not UTF-8 are U+FFFD. Not longer than is shown, and so that no terminal, page or
    /// document acts on it.
    func text(_ index: Int64, in bytes: [UInt8]) throws(PprofError) -> String {
        // The first string is the empty one, also in a table that lacks it.
        if index == 0 { return "" }
        guard index > 0, index < Int64(strings.count) else {
            throw .malformed("the profile names string \(index) and has \(strings.count)")
        }
        let place = strings[Int(index)]
        let isCut = place.count > PprofLimits.nameBytes
        let end = Int(place.lowerBound) + min(place.count, PprofLimits.nameBytes)
        let text = String(decoding: bytes[Int(place.lowerBound)..<end], as: UTF8.self)
        return ShownName.clean(text) + (isCut ? "…" : "")
    }

    private mutating func addLocation(_ location: Perftools_Profiles_Location) throws(PprofError) {
        guard location.id != 0 else { throw .malformed("a location of the profile has the id 0") }
        let first = Int32(lines.count)
        for line in location.line { lines.append(line.functionID) }
        let place = Location(address: location.address, lines: first..<Int32(lines.count))
        guard locations.updateValue(place, forKey: location.id) == nil else {
            throw .malformed("two locations of the profile have the id \(location.id)")
        }
        try checkEntries()
    }

    private mutating func addFunction(_ function: Perftools_Profiles_Function) throws(PprofError) {
        guard function.id != 0 else { throw .malformed("a function of the profile has the id 0") }
        let place = Function(name: function.name, systemName: function.systemName, file: function.filename)
        guard functions.updateValue(place, forKey: function.id) == nil else {
            throw .malformed("two functions of the profile have the id \(function.id)")
        }
        try checkEntries()
    }

    private func checkEntries() throws(PprofError) {
        guard strings.count + functions.count + locations.count + lines.count <= limits.entries else {
            throw .tooLarge("strings, functions, locations and lines", limit: limits.entries)
        }
    }
}

// MARK: The wire

extension PprofTables {
    private static func forEachField(
        _ bytes: RawSpan, _ body: (WireReader.Tag, inout WireReader) throws(PprofError) -> Void
    ) throws(PprofError) {
        // `end` is the span's, so the reader stays inside.
        var reader = WireReader(position: 0, end: bytes.byteCount)
        while !reader.isAtEnd {
            let tag = try wire { () throws(DecodeError) in try reader.tag(bytes) }
            try body(tag, &reader)
        }
    }

    private static func body(_ bytes: RawSpan, _ reader: inout WireReader) throws(PprofError) -> Range<Int> {
        try wire { () throws(DecodeError) in try reader.body(bytes) }
    }

    private static func decode<M: Message>(
        _ bytes: RawSpan, _ reader: inout WireReader, _ what: String
    ) throws(PprofError) -> M {
        let body = try body(bytes, &reader)
        guard body.count <= PprofLimits.messageBytes else {
            throw .tooLarge("bytes in a \(what)", limit: PprofLimits.messageBytes)
        }
        guard let message = try? M(serializedBytes: bytes.extracting(body)) else {
            throw .malformed("not a profile in pprof's format: the \(what) at byte \(body.lowerBound) is malformed")
        }
        return message
    }

    private static func wire<Value>(_ read: () throws(DecodeError) -> Value) throws(PprofError) -> Value {
        do throws(DecodeError) {
            return try read()
        } catch {
            throw .malformed("not a profile in pprof's format: \(error)")
        }
    }
}

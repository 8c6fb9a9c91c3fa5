// SPDX-License-Identifier: Apache-2.0
import Platform

/// A profile in pprof's format, gzip or not, checked: every number in it refers to something that is there.
public struct PprofProfile: Sendable {
    /// A kind of value that each sample has, such as `inuse_space` in `bytes`.
    public struct SampleType: Sendable, Equatable {
        public var name: String
        public var unit: String
    }

    /// A function. Two with one name are one, whatever files they are in.
    struct Frame: Sendable, Equatable {
        var name: String
        /// Empty when the profile does not say.
        var file: String
    }

    public let sampleTypes: [SampleType]
    /// Index of the kind that is meant when none is named: the profile's own wish, or the last, as pprof has it.
    public let defaultSampleType: Int
    let frames: [Frame]
    private let limits: PprofLimits
    private let bytes: [UInt8]
    /// By id: where its frames are in `lineFrames`.
    private let locations: [UInt64: Range<Int32>]
    /// Indices of `frames`, the innermost call first.
    private let lineFrames: [Int32]

    public init(_ input: RawSpan, limits: PprofLimits) throws(PprofError) {
        let bytes = try Self.expanded(input, limits)
        let tables = try PprofTables(bytes.span.bytes, limits: limits)
        var types: [SampleType] = []
        for type in tables.sampleTypes {
            types.append(
                SampleType(
                    name: try tables.text(type.type, in: bytes),
                    unit: try tables.text(type.unit, in: bytes)))
        }
        let wished = try tables.text(tables.defaultSampleType, in: bytes)
        var resolver = FrameResolver(tables, bytes)
        var locations: [UInt64: Range<Int32>] = [:]
        for (id, location) in tables.locations {
            locations[id] = try resolver.resolve(location, id: id)
        }
        self.limits = limits
        self.bytes = bytes
        self.locations = locations
        frames = resolver.frames
        lineFrames = resolver.lineFrames
        sampleTypes = types
        defaultSampleType = types.firstIndex { $0.name == wished } ?? types.count - 1
    }

    private static func expanded(_ input: RawSpan, _ limits: PprofLimits) throws(PprofError) -> [UInt8] {
        guard input.byteCount <= limits.compressedBytes else { throw .tooLarge("bytes", limit: limits.compressedBytes) }
        guard input.byteCount > 0 else { throw .malformed("the profile is empty") }
        guard GzipReader.isGzip(input) else { return input.copiedBytes }
        return try GzipReader.expand(input, limitBytes: limits.expandedBytes)
    }

    /// Index of a kind of values; the default for nil.
    public func sampleType(named name: String?) throws(PprofError) -> Int {
        guard let name else { return defaultSampleType }
        guard let index = sampleTypes.firstIndex(where: { $0.name == name }) else {
            let known = sampleTypes.map(\.name).joined(separator: ", ")
            throw PprofError(
                cause: .unknownSampleType,
                text: "type \(name.debugDescription) is not in this profile; there are \(known)")
        }
        return index
    }

    /// Calls `body` with the frames of each sample, the outermost call first, and its value of one kind.
    func forEachSample(
        type: Int, _ body: (_ stack: [Int32], _ value: Int64) throws(PprofError) -> Void
    ) throws(PprofError) {
        var stack: [Int32] = []
        var frameCount = 0
        try PprofTables.forEachSample(bytes.span.bytes) { (sample) throws(PprofError) in
            guard sample.value.count == sampleTypes.count else {
                throw .malformed("a sample has \(sample.value.count) values instead of \(sampleTypes.count)")
            }
            stack.removeAll(keepingCapacity: true)
            for id in sample.locationID.reversed() {
                guard let lines = locations[id] else {
                    throw .malformed("a sample names location \(id), which the profile does not have")
                }
                guard stack.count + lines.count <= PprofLimits.framesPerSample else {
                    throw .tooLarge("frames in a sample", limit: PprofLimits.framesPerSample)
                }
                for line in lines.reversed() { stack.append(lineFrames[Int(line)]) }
            }
            frameCount += stack.count
            guard frameCount <= limits.frames else { throw .tooLarge("frames", limit: limits.frames) }
            try body(stack, sample.value[type])
        }
    }
}

/// Turns the numbers of the tables into frames.
private struct FrameResolver {
    private(set) var frames: [PprofProfile.Frame] = []
    private(set) var lineFrames: [Int32] = []
    private let tables: PprofTables
    private let bytes: [UInt8]
    private var byName: [String: Int32] = [:]
    private var byFunction: [UInt64: Int32] = [:]

    init(_ tables: PprofTables, _ bytes: [UInt8]) {
        self.tables = tables
        self.bytes = bytes
    }

    mutating func resolve(_ location: PprofTables.Location, id: UInt64) throws(PprofError) -> Range<Int32> {
        let first = Int32(lineFrames.count)
        for line in location.lines {
            let function = tables.lines[Int(line)]
            lineFrames.append(function == 0 ? unnamed(location) : try frame(of: function, location, id: id))
        }
        // Without symbols there is the address alone.
        if location.lines.isEmpty { lineFrames.append(unnamed(location)) }
        return first..<Int32(lineFrames.count)
    }

    private mutating func frame(
        of id: UInt64, _ location: PprofTables.Location, id locationID: UInt64
    ) throws(PprofError) -> Int32 {
        if let known = byFunction[id] { return known }
        guard let function = tables.functions[id] else {
            throw .malformed("location \(locationID) names function \(id), which the profile does not have")
        }
        var name = try text(function.name)
        if name.isEmpty { name = try text(function.systemName) }
        guard !name.isEmpty else { return unnamed(location) }
        let index = intern(name, file: try text(function.file))
        byFunction[id] = index
        return index
    }

    private func text(_ index: Int64) throws(PprofError) -> String { try tables.text(index, in: bytes) }

    private mutating func unnamed(_ location: PprofTables.Location) -> Int32 {
        intern("0x" + String(location.address, radix: 16), file: "")
    }

    private mutating func intern(_ name: String, file: String) -> Int32 {
        if let known = byName[name] { return known }
        let index = Int32(frames.count)
        frames.append(.init(name: name, file: file))
        byName[name] = index
        return index
    }
}

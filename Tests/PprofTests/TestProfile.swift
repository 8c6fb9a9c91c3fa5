// SPDX-License-Identifier: Apache-2.0
import Gzip
import HTTPServer
import NIOCore
import SwiftProtobuf

@testable import Pprof

/// A profile that is built of stacks.
struct TestProfile {
    var message = Perftools_Profiles_Profile()
    private var strings: [String: Int64] = [:]
    private var locations: [String: UInt64] = [:]

    init(_ types: [(String, String)] = [("inuse_space", "bytes")]) {
        _ = text("")
        for (name, unit) in types {
            let (name, unit) = (text(name), text(unit))
            message.sampleType.append(
                .with {
                    $0.type = name
                    $0.unit = unit
                })
        }
    }

    mutating func text(_ text: String) -> Int64 {
        if let known = strings[text] { return known }
        strings[text] = Int64(strings.count)
        message.stringTable.append(text)
        return Int64(strings.count - 1)
    }

    /// - Parameter calls: the outermost first.
    mutating func add(_ calls: [String], _ values: Int64...) {
        let ids = calls.reversed().map { location($0) }
        message.sample.append(
            .with {
                $0.locationID = ids
                $0.value = values
            })
    }

    private mutating func location(_ name: String) -> UInt64 {
        if let known = locations[name] { return known }
        let id = UInt64(locations.count + 1)
        locations[name] = id
        let (index, file) = (text(name), text("\(name).go"))
        message.function.append(
            .with {
                ($0.id, $0.name, $0.filename) = (id, index, file)
            })
        message.location.append(
            .with {
                ($0.id, $0.address) = (id, 0x1000 + id)
                $0.line = [.with { $0.functionID = id }]
            })
        return id
    }

    var bytes: [UInt8] { get throws { try message.serializedBytes() } }

    func read(_ limits: PprofLimits = .wide) throws -> PprofProfile {
        let own = try bytes
        return try PprofProfile(own.span.bytes, limits: limits)
    }

    func view(
        _ sampleType: String? = nil, base: TestProfile? = nil, limits: PprofLimits = .wide
    ) throws -> ProfileView {
        let own = try bytes
        var other: (profileID: String, bytes: [UInt8])?
        if let base { other = ("p-1", try base.bytes) }
        return try ProfileView(
            .init(podName: "pod-0", profileID: "p-2", kind: "heap"), own, base: other, sampleType: sampleType,
            limits: limits)
    }

    func text(
        _ format: ProfileFormat, _ sampleType: String? = nil, base: TestProfile? = nil, limits: PprofLimits = .wide
    ) throws -> String {
        let bytes = try view(sampleType, base: base, limits: limits).text(format)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension PprofLimits {
    static let wide = PprofLimits(memoryBytes: 96 << 20)
}

func gzip(_ bytes: [UInt8]) -> [UInt8] { Array(GzipStream.compress(ByteBuffer(bytes: bytes)).readableBytesView) }

/// The error of reading something, or of what comes after.
func failure(_ body: () throws -> Void) -> PprofError? {
    do {
        try body()
        return nil
    } catch {
        return error as? PprofError
    }
}

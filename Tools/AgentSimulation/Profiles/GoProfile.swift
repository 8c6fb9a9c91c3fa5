// SPDX-License-Identifier: Apache-2.0

import Pprof
import SwiftProtobuf

/// A profile as `runtime/pprof` of Go writes it, of a node that needs more memory from capture to capture.
struct GoProfile {
    private static let bytesBetweenSamples: Int64 = 512 << 10
    private static let firstAddress: UInt64 = 0x40_0000
    private static let functionBytes: UInt64 = 0x400
    private static let mebibyte = 1 << 20

    private var profile = Perftools_Profiles_Profile()
    private var strings: [String: Int64] = [:]
    private var locations: [String: UInt64] = [:]

    /// - Parameters:
    ///   - type: `heap`, or else goroutines.
    ///   - number: of the capture, from 0.
    init(podName: String, type: String, number: Int, capturedSeconds: Int64, seed: UInt64) {
        _ = index("")
        profile.timeNanos = capturedSeconds * 1_000_000_000
        profile.mapping = [
            .with {
                $0.id = 1
                $0.memoryStart = Self.firstAddress
                $0.memoryLimit = Self.firstAddress << 4
                $0.filename = index("/banyand-server")
                $0.hasFunctions_p = true
            }
        ]
        if type == "heap" {
            addTypes([
                ("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"),
                ("inuse_space", "bytes"),
            ])
            profile.periodType = valueType("space", "bytes")
            profile.period = Self.bytesBetweenSamples
            profile.defaultSampleType = index("inuse_space")
        } else {
            addTypes([("goroutine", "count")])
            profile.periodType = valueType("goroutine", "count")
            profile.period = 1
        }
        for (place, stack) in (type == "heap" ? GoStacks.heap : GoStacks.goroutines).enumerated() {
            let drawn = StableHash.fraction(StableHash.key("\(podName)/\(type)/stack/\(place)", seed: seed))
            // A shrinking stack keeps something.
            let part = max(0.1, 1 + stack.growth * Double(number))
            if type == "heap" {
                let objects = Int64((4 + 60 * drawn) * part)
                let objectBytes = Int64(Self.mebibyte) >> Int64(place % 8)
                add(stack, [objects * 9, objects * 9 * objectBytes, objects, objects * objectBytes])
            } else {
                add(stack, [Int64((1 + 20 * drawn) * part)])
            }
        }
    }

    var bytes: [UInt8] { get throws { try profile.serializedBytes() } }

    private mutating func addTypes(_ types: [(String, String)]) {
        for (name, unit) in types { profile.sampleType.append(valueType(name, unit)) }
    }

    private mutating func valueType(_ name: String, _ unit: String) -> Perftools_Profiles_ValueType {
        let (name, unit) = (index(name), index(unit))
        return .with {
            $0.type = name
            $0.unit = unit
        }
    }

    private mutating func add(_ stack: GoStacks.Stack, _ values: [Int64]) {
        let ids = stack.calls.map { location($0) }
        profile.sample.append(
            .with {
                $0.locationID = ids
                $0.value = values
            })
    }

    private mutating func location(_ function: String) -> UInt64 {
        if let known = locations[function] { return known }
        let id = UInt64(locations.count + 1)
        locations[function] = id
        let (name, file) = (index(function), index(Self.file(of: function)))
        let line = Int64(20 + StableHash.fnv1a(function) % 800)
        profile.function.append(
            .with {
                ($0.id, $0.name, $0.systemName, $0.filename) = (id, name, name, file)
                $0.startLine = line - 12
            })
        profile.location.append(
            .with {
                ($0.id, $0.mappingID) = (id, 1)
                $0.address = Self.firstAddress + id * Self.functionBytes
                $0.line = [
                    .with {
                        $0.functionID = id
                        $0.line = line
                    }
                ]
            })
        return id
    }

    private mutating func index(_ text: String) -> Int64 {
        if let known = strings[text] { return known }
        let index = Int64(strings.count)
        strings[text] = index
        profile.stringTable.append(text)
        return index
    }

    /// `/src/banyand/measure/measure.go` of `github.com/…/banyand/measure.(*tsTable).merge`.
    private static func file(of function: String) -> String {
        let start = function.lastIndex(of: "/").map { function.index(after: $0) } ?? function.startIndex
        let package = function[..<start] + function[start...].prefix { $0 != "." }
        return "/go/src/\(package)/\(package.split(separator: "/").last ?? "main").go"
    }
}

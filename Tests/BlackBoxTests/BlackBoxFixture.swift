// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import Glibc
import Metrics
import Platform
import RingMessages
import TestSupport

/// A folder with a black box, removed with the object.
final class BlackBoxFolder {
    let path = memoryFolder()
    var database: String { BlackBoxFile.path(in: path) }

    func open() throws(DatabaseError) -> BlackBoxStore { try BlackBoxStore(folder: path) }
    func reader() throws(DatabaseError) -> BlackBoxReader { try BlackBoxReader(path: database) }

    var names: [String] { ((try? FolderListing.names(in: path)) ?? []).sorted() }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}

let second: Int64 = 1_000_000_000

enum Fixture {
    static func node(_ pod: String = "pod-a", role: String = "ROLE_DATA") -> NodeRecord {
        NodeRecord(
            identity: AgentIdentity(podName: pod, containerNames: ["data"]), agentID: "id-of-\(pod)", role: role,
            labels: [AgentLabel(key: "node_zone", value: "a\"b")], address: "10.0.0.1:1")
    }

    /// The payload of a `series` record with so many series.
    static func table(_ count: Int, number: UInt32 = 1) -> [UInt8] {
        let series = AgentSeries(
            limits: SeriesLimits(), hashKey: (1, 2),
            enrichment: Enrichment(podName: "pod-a", nodeRole: "ROLE_DATA", labels: [:]), firstTableNumber: number)
        let message = (0..<count).flatMap { metric("series_\($0)", Double($0)) }
        _ = try? series.decodeLatest(message.span.bytes, receivedAtNanoseconds: 1)
        return [UInt8](unsafeUninitializedCapacity: series.tableByteCount) { buffer, count in
            var span = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
            series.writeTable(into: &span)
            count = span.finalize(for: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Field 1 of an answer: the metric, whose fields are 1 the name and 3 the value.
    private static func metric(_ name: String, _ value: Double) -> [UInt8] {
        let bits = value.bitPattern
        let metric =
            [0x0a, UInt8(name.utf8.count)] + Array(name.utf8) + [0x19]
            + (0..<8).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
        return [0x0a, UInt8(metric.count)] + metric
    }

    /// Values of all kinds that a bit pattern can be.
    static func bits(_ generator: inout SeededGenerator) -> UInt64 {
        switch generator.below(10) {
        case 0: generator.next()
        case 1: 0x7ff0_0000_0000_0002  // the stale marker
        case 2: 0x7ff8_0000_0000_0001 | generator.next() & 0x000f_ffff_ffff_ffff  // a NaN with a payload
        case 3: Double.infinity.bitPattern
        case 4: (-Double.infinity).bitPattern
        case 5: (-0.0).bitPattern
        case 6: 0
        case 7: Double.leastNonzeroMagnitude.bitPattern
        default: Double(generator.below(1_000_000)).bitPattern
        }
    }

    static func sample(
        _ series: Int, at seconds: Int64, _ generator: inout SeededGenerator, hasTimes: Bool = false
    ) -> SampleColumns {
        SampleColumns(
            receivedAtNanoseconds: seconds * second, commonTimeMicroseconds: seconds * 1_000_000,
            valueBits: (0..<series).map { _ in bits(&generator) },
            timesMicroseconds: hasTimes
                ? (0..<series).map { _ in generator.chance(0.1) ? .min : seconds * 1_000_000 - Int64(generator.below(9))
                }
                : [])
    }
}

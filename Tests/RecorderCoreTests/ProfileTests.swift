// SPDX-License-Identifier: Apache-2.0
import BlackBox
import RingMessages
import TestSupport
import Testing

@testable import RecorderCore
@testable import Rings

/// Profiles that pass through a ring.
struct ProfileTests {
    private struct Passing {
        let test = RecorderUnderTest()
        let ring: RingUnderRecording
        let slot: SlotRef

        init() throws {
            ring = try RingUnderRecording(ringBytes: 4 << 20)
            try test.follow([ring])
            slot = try ring.enter("pod-a")
            try ring.answer(.pressureList, try RingUnderRecording.pressureList(["p1"]), of: slot, at: 1)
            test.turn()
        }

        func begin(_ number: UInt64, profile: String = "p1", generation: UInt64 = 1) throws {
            let command = FetchCommand(
                agent: AgentID(high: 1, low: 1), profileID: profile, type: "heap", filepath: "/p/heap.pprof")
            try ring.append(.fetchBegun, command.payload, of: slot, generation: generation, number: number)
        }

        func chunk(_ number: UInt64, _ bytes: some Sequence<UInt8>, at offset: UInt64, generation: UInt64 = 1) throws {
            try ring.append(
                .profileChunk, Array(bytes), of: slot, generation: generation, number: number, subject: offset)
        }

        func end(_ number: UInt64, byteCount: Int, _ cause: FetchEnding.Cause = .complete, generation: UInt64 = 1)
            throws
        {
            try ring.append(
                .fetchEnded, FetchEnding(cause).payload, of: slot, generation: generation, number: number,
                subject: UInt64(byteCount))
        }

        func stored() throws -> [UInt8]? {
            let reader = try test.reader()
            return try reader.profile(of: try #require(reader.nodes().first).id, profileID: "p1", type: "heap")
        }

        func missing() throws -> [String] { try test.reader().missingProfiles(limit: 9).map(\.type) }
    }

    @Test func recorder_storesAProfileThatPasses() throws {
        let passing = try Passing()
        #expect(try passing.missing() == ["heap", "goroutine"] || passing.missing() == ["goroutine", "heap"])
        let bytes = patternBytes(0..<300_000)
        try passing.begin(7)
        // Another download at the same time, by another exporter.
        try passing.begin(7, profile: "p-unknown", generation: 2)
        try passing.chunk(7, bytes[..<100_000], at: 0)
        try passing.chunk(7, [1, 2, 3], at: 0, generation: 2)
        passing.test.turn()
        try passing.chunk(7, bytes[100_000...], at: 100_000)
        try passing.end(7, byteCount: 3, generation: 2)
        passing.test.turn()
        #expect(try passing.stored() == nil)
        try passing.end(7, byteCount: bytes.count)
        passing.test.turn()
        #expect(try passing.stored() == bytes)
        #expect(try passing.missing() == ["goroutine"])
        #expect(passing.test.recorder.status.profilesStored == 1)
        #expect(passing.test.recorder.status.recordsMalformed == 0)
        // Somebody downloads it once more.
        try passing.begin(8)
        try passing.chunk(8, [1], at: 0)
        try passing.end(8, byteCount: 1)
        passing.test.turn()
        #expect(try passing.stored() == bytes)
    }

    @Test func recorder_storesNoPartOfAProfile() throws {
        let passing = try Passing()
        try passing.begin(1)
        try passing.chunk(1, [1, 2, 3], at: 0)
        try passing.end(1, byteCount: 4)
        try passing.begin(2)
        try passing.chunk(2, [1, 2, 3], at: 1)
        try passing.end(2, byteCount: 3)
        try passing.begin(3)
        try passing.chunk(3, [1, 2, 3], at: 0)
        try passing.end(3, byteCount: 3, .agentGone)
        try passing.begin(4)
        try passing.end(4, byteCount: 0)
        try passing.chunk(5, [1, 2, 3], at: 0)
        try passing.end(5, byteCount: 3)
        passing.test.turn()
        #expect(try passing.stored() == nil)
        #expect(try passing.missing().count == 2)
    }

    @Test func recorder_storesAProfileAfterItsProcessHasEnded() throws {
        let passing = try Passing()
        try passing.begin(1)
        try passing.chunk(1, [1, 2], at: 0)
        passing.test.turn()
        try passing.test.restart([passing.ring])
        passing.test.turn()
        try passing.chunk(1, [3], at: 2)
        try passing.end(1, byteCount: 3)
        passing.test.turn()
        // Nothing was committed since it began, so it is read again.
        #expect(try passing.stored() == [1, 2, 3])
    }

    @Test func profileAssemblies_keepWithinTheirMemory() {
        var assemblies = ProfileAssemblies()
        func key(_ number: Int) -> ProfileAssemblies.Key { .init(worker: 0, generation: 1, number: UInt64(number)) }
        let chunk = [UInt8](repeating: 1, count: ProfileAssemblies.limitBytes / 2)
        for number in 0..<3 {
            assemblies.begin(key(number), node: 1, profileID: "p\(number)", type: "heap")
            assemblies.add(chunk.span.bytes, at: 0, to: key(number))
        }
        #expect(
            assemblies.end(key(2), FetchEnding(.complete), byteCount: UInt64(chunk.count)) == nil, "there was no room")
        #expect(assemblies.end(key(0), FetchEnding(.complete), byteCount: UInt64(chunk.count))?.profileID == "p0")
        for number in 10..<10 + ProfileAssemblies.limitCount {
            assemblies.begin(key(number), node: 1, profileID: "p\(number)", type: "heap")
        }
        #expect(
            assemblies.end(key(1), FetchEnding(.complete), byteCount: UInt64(chunk.count)) == nil, "the oldest went")
    }
}

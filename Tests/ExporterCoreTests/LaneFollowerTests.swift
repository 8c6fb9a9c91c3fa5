// SPDX-License-Identifier: Apache-2.0
import Exchange
import Glibc
import Lanes
import Logging
import NIOCore
import NIOPosix
import Platform
import Testing

@testable import ExporterCore

private let (a, b) = (AgentID(high: 1, low: 1), AgentID(high: 1, low: 2))

@Suite struct LaneFollowerTests {
    private func follower(_ descriptor: Int32, poison: Set<RecordName> = []) -> LaneFollower {
        LaneFollower(
            worker: 0, descriptor: descriptor,
            watch: RecordWatch(poison: poison, note: RecordNote(.eventLoop)),
            records: RecordTable(generation: 1),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// The name of the last record of a type in a lane.
    private func name(of type: RecordType, _ descriptor: Int32) throws -> RecordName {
        let reader = try LaneReader(descriptor: descriptor, kind: .up)
        var found: RecordName?
        reader.scanHeaders { header, _ in
            if header.type == type { found = RecordName(worker: 0, sequence: header.sequence) }
        }
        return try #require(found)
    }

    /// An exporter that begins anew must not read it either.
    @Test func whatHasKilledItsReadersIsNotReadInARebuild() throws {
        for type in [RecordType.identity, .series, .sample] {
            let worker = try FakeIngest(0)
            let up = try worker.descriptors().up
            let (good, bad) = (try worker.enter(a, pod: "pod-a"), try worker.enter(b, pod: "pod-b"))
            try worker.sample("value", 1, of: good)
            try worker.sample("value", 1, of: bad)
            // The second agent's is the last.
            let poison = try name(of: type, up)
            let follower = follower(up, poison: [poison])
            var records = 0
            follower.onRecord = { records += 1 }
            follower.poll()
            let (whole, spoilt) = (try #require(follower.agents[good.index]), try #require(follower.agents[bad.index]))
            #expect(whole.identity != nil && whole.table != nil && whole.sample != nil)
            switch type {
            case .identity: #expect(spoilt.identity == nil && spoilt.sample != nil)
            // Nothing can be said of a sample without its table.
            case .series: #expect(spoilt.identity != nil && spoilt.table == nil && spoilt.sample == nil)
            default: #expect(spoilt.identity != nil && spoilt.sample == nil)
            }
            #expect(records >= 6, "it showed after each that it lives")
        }
    }

    @Test func aLookIsAsLongAsItMayBe() throws {
        let worker = try FakeIngest(0)
        let follower = follower(try worker.descriptors().up)
        follower.poll()
        for _ in 0..<5 { try worker.lane.append(.roundDone, RawSpan()) }
        var records = 0
        follower.onRecord = { records += 1 }
        follower.poll(untilNanoseconds: 0)
        #expect(records == 1 && !follower.isAtHead)
        follower.poll()
        #expect(records >= 5 && follower.isAtHead)
    }

    @Test func anAnswerThatWasMovedBehindABacklogIsNotGivenUp() throws {
        let worker = try FakeIngest(0)
        let slot = try worker.enter(a, pod: "pod-a")
        let follower = follower(try worker.descriptors().up)
        let answer: [UInt8] = [1, 2]
        try worker.lane.append(.topology, agent: slot, number: 1, isCurrent: true, answer.span.bytes)
        follower.poll()
        // More than the ring takes.
        let filler = [UInt8](repeating: 0, count: 64 << 10)
        for _ in 0..<600 { try worker.lane.append(.profileChunk, filler.span.bytes) }
        let key = HeldAnswer.Key(type: .topology, subject: 0)
        #expect(follower.read(key, of: slot, untilNanoseconds: 0) == nil)
        #expect(!follower.isAtHead)
        // A look of one record is enough to see that records were overwritten, and to look for what is current.
        let end = MonotonicClock.nowNanoseconds() + 5_000_000
        follower.onRecord = { while MonotonicClock.nowNanoseconds() < end {} }
        #expect(follower.read(key, of: slot, untilNanoseconds: end)?.bytes == answer)
        #expect(follower.rescans == 1)
        follower.onRecord = {}
        #expect(follower.read(key, of: slot, untilNanoseconds: .max)?.bytes == answer)
        // A record that its writer has let go of is not in the way of a reader.
        worker.lane.forget(.topology, agent: slot, subject: 0)
        for _ in 0..<600 { try worker.lane.append(.profileChunk, filler.span.bytes) }
        #expect(follower.read(key, of: slot, untilNanoseconds: .max) == nil)
        #expect(try #require(follower.agents[slot.index]).answers.isEmpty)
    }

    @Test func crashRecordsThatWereLetGoOfAreNoneAnyMore() throws {
        let worker = try FakeIngest(0)
        let slot = try worker.enter(a, pod: "pod-a")
        let follower = follower(try worker.descriptors().up)
        follower.poll()
        for subject in UInt64(0)..<1000 {
            if subject >= 64 { worker.lane.forget(.crashRecord, agent: slot, subject: subject - 64) }
            try worker.lane.append(
                .crashRecord, agent: slot, number: subject, subject: subject, isCurrent: true, [1, 2].span.bytes)
        }
        follower.poll()
        let answers = try #require(follower.agents[slot.index]).answers
        #expect(answers.count <= 2 * LaneAgent.maximumAnswers)
        let current = answers.filter { !follower.isForgotten($0.value) }
        #expect(Set(current.keys.map(\.subject)) == Set(936..<1000))
    }
}

/// The lanes are read in turns of the loop.
@Suite struct ReadingTurnsTests {
    @Test func whatATurnDoesNotReadIsReadLater() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        let exporter = try harness.start(workers)
        // Written on the loop, so that nothing is read meanwhile; this thread only waits.
        nonisolated(unsafe) let lanes = workers.map(\.lane)
        let isThrough = try harness.run {
            for lane in lanes {
                for _ in 0..<10 { try lane.append(.roundDone, RawSpan()) }
            }
            exporter.core.readLanes(atMostNanoseconds: 0)
            // It is read on anyway.
            exporter.core.bellRang()
            return exporter.peers.followers.map(\.isAtHead)
        }
        #expect(isThrough == [false, false])
        try harness.eventually("both are read") { exporter.peers.followers.map(\.isAtHead) == [true, true] }
    }
}

@Suite struct DoorbellChannelTests {
    /// As when there is no descriptor to spare.
    @Test func whatCannotBeHeardFails() throws {
        let worker = try FakeIngest(0)
        let follower = LaneFollower(
            worker: 0, descriptor: -1, watch: RecordWatch(poison: [], note: RecordNote(.eventLoop)),
            records: RecordTable(generation: 1),
            logger: Logger(label: "test"))
        let peer = IngestPeer(
            follower: follower, lane: worker.lane, bell: Doorbell(descriptor: -1), descriptors: [])
        #expect(throws: IOError.self) {
            try peer.listen(on: MultiThreadedEventLoopGroup.singleton.next()) {}.wait()
        }
    }

    @Test func anExporterThatCannotHearAWorkerEnds() async {
        await #expect(processExitsWith: .exitCode(1)) {
            // A failure of the test itself ends otherwise.
            do {
                let harness = try ExporterHarness()
                let (first, second) = (try FakeIngest(0), try FakeIngest(1))
                let exporter = try harness.start([first])
                var lane = try second.descriptors()
                lane.bell = -1
                let mute = lane
                try harness.run { try exporter.laneArrived(1, mute) }
                sleep(30)
            } catch {
                exit(9)
            }
        }
    }
}

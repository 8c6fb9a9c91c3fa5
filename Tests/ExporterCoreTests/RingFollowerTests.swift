// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import NIOCore
import NIOPosix
import Platform
import RingMessages
import Rings
import Testing

@testable import ExporterCore

private let (a, b) = (AgentID(high: 1, low: 1), AgentID(high: 1, low: 2))

@Suite struct RingFollowerTests {
    private func follower(_ descriptor: Int32, poison: Set<RecordName> = []) -> RingFollower {
        RingFollower(
            worker: 0, descriptor: descriptor,
            crashGuard: CrashGuard(poison: poison, marker: InFlightRecord(.eventLoop)),
            records: RecordTable(generation: 1),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// The name of the last record of a type in a ring.
    private func name(of type: RecordType, _ descriptor: Int32) throws -> RecordName {
        let reader = try RingReader(descriptor: descriptor, kind: .data)
        var found: RecordName?
        reader.scanHeaders { header, _ in
            if header.type == type { found = RecordName(worker: 0, sequence: header.sequence) }
        }
        return try #require(found)
    }

    /// An exporter that begins anew must not read it either.
    @Test func ringFollower_skipsPoisonRecordsInARebuild() throws {
        for type in [RecordType.identity, .series, .sample] {
            let worker = try FakeIngest(0)
            let dataRing = try worker.descriptors().dataRing
            let (good, bad) = (try worker.enter(a, pod: "pod-a"), try worker.enter(b, pod: "pod-b"))
            try worker.sample("value", 1, of: good)
            try worker.sample("value", 1, of: bad)
            // The second agent's is the last.
            let poison = try name(of: type, dataRing)
            let follower = follower(dataRing, poison: [poison])
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

    @Test func ringFollower_stopsReadingAtItsDeadline() throws {
        let worker = try FakeIngest(0)
        let follower = follower(try worker.descriptors().dataRing)
        follower.poll()
        for _ in 0..<5 { try worker.ring.append(.roundDone, RawSpan()) }
        var records = 0
        follower.onRecord = { records += 1 }
        follower.poll(untilNanoseconds: 0)
        #expect(records == 1 && !follower.isAtHead)
        follower.poll()
        #expect(records >= 5 && follower.isAtHead)
    }

    @Test func ringFollower_findsAnAnswerCompactedBehindABacklog() throws {
        let worker = try FakeIngest(0)
        let slot = try worker.enter(a, pod: "pod-a")
        let follower = follower(try worker.descriptors().dataRing)
        let answer: [UInt8] = [1, 2]
        try worker.ring.append(.topology, agent: slot, number: 1, isCurrent: true, answer.span.bytes)
        follower.poll()
        // More than the ring takes.
        let filler = [UInt8](repeating: 0, count: 64 << 10)
        for _ in 0..<600 { try worker.ring.append(.profileChunk, filler.span.bytes) }
        let key = HeldAnswer.Key(type: .topology, subject: 0)
        #expect(follower.read(key, of: slot, untilNanoseconds: 0) == nil)
        #expect(!follower.isAtHead)
        // A look of one record is enough to see that records were overwritten, and to look for what is current.
        let start = MonotonicClock.nowNanoseconds()
        let end = start + 1
        var now = start
        follower.clock = { now }
        follower.onRecord = { now = end }
        #expect(follower.read(key, of: slot, untilNanoseconds: end)?.bytes == answer)
        #expect(follower.rescans == 1)
        follower.onRecord = {}
        #expect(follower.read(key, of: slot, untilNanoseconds: .max)?.bytes == answer)
        // A record that its writer has let go of is not in the way of a reader.
        worker.ring.forget(.topology, agent: slot, subject: 0)
        for _ in 0..<600 { try worker.ring.append(.profileChunk, filler.span.bytes) }
        #expect(follower.read(key, of: slot, untilNanoseconds: .max) == nil)
        #expect(try #require(follower.agents[slot.index]).answers.isEmpty)
    }

    @Test func ringFollower_dropsForgottenCrashRecords() throws {
        let worker = try FakeIngest(0)
        let slot = try worker.enter(a, pod: "pod-a")
        let follower = follower(try worker.descriptors().dataRing)
        follower.poll()
        for subject in UInt64(0)..<1000 {
            if subject >= 64 { worker.ring.forget(.crashRecord, agent: slot, subject: subject - 64) }
            try worker.ring.append(
                .crashRecord, agent: slot, number: subject, subject: subject, isCurrent: true, [1, 2].span.bytes)
        }
        follower.poll()
        let answers = try #require(follower.agents[slot.index]).answers
        #expect(answers.count <= 2 * RingAgent.maximumAnswers)
        let current = answers.filter { !follower.isForgotten($0.value) }
        #expect(Set(current.keys.map(\.subject)) == Set(936..<1000))
    }
}

/// The rings are read in turns of the loop.
@Suite struct ReadingTurnsTests {
    @Test func readingTurns_continueWhereTheLastTurnStopped() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        let exporter = try harness.start(workers)
        // Written on the loop, so that nothing is read meanwhile; this thread only waits.
        nonisolated(unsafe) let rings = workers.map(\.ring)
        let isThrough = try harness.run {
            for ring in rings {
                for _ in 0..<10 { try ring.append(.roundDone, RawSpan()) }
            }
            exporter.core.readRings(atMostNanoseconds: 0)
            // It is read on anyway.
            exporter.core.handleWakeup()
            return exporter.ingestEndpoints.followers.map(\.isAtHead)
        }
        #expect(isThrough == [false, false])
        try harness.eventually("both are read") { exporter.ingestEndpoints.followers.map(\.isAtHead) == [true, true] }
    }
}

@Suite struct WakeupChannelsTests {
    /// As when there is no descriptor to spare.
    @Test func wakeupChannels_failForAnInvalidDescriptor() throws {
        let worker = try FakeIngest(0)
        let follower = RingFollower(
            worker: 0, descriptor: -1, crashGuard: CrashGuard(poison: [], marker: InFlightRecord(.eventLoop)),
            records: RecordTable(generation: 1),
            logger: Logger(label: "test"))
        let endpoint = IngestEndpoint(
            follower: follower, ring: worker.ring, wakeup: WakeupChannel(descriptor: -1), descriptors: [])
        #expect(throws: IOError.self) {
            try endpoint.listen(on: MultiThreadedEventLoopGroup.singleton.next()) {}.wait()
        }
    }

    @Test func exporterWorker_endsWhenAWakeupChannelCannotBeWatched() async {
        await #expect(processExitsWith: .exitCode(1)) {
            // A failure of the test itself ends otherwise.
            do {
                let harness = try ExporterHarness()
                let (first, second) = (try FakeIngest(0), try FakeIngest(1))
                let exporter = try harness.start([first])
                var ring = try second.descriptors()
                ring.wakeup = -1
                let mute = ring
                try harness.run { try exporter.ringArrived(1, mute) }
                sleep(30)
            } catch {
                exit(9)
            }
        }
    }
}

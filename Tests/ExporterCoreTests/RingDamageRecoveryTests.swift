// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Platform
import RingMessages
import TestSupport
import Testing

@testable import ExporterCore
@testable import Metrics
@testable import Rings

/// With any damage to a ring's memory, its reader neither spins nor stays without the current records.
@Suite struct RingDamageRecoveryTests {
    /// A worker with agents, and the exporter's side of it. The clock is the test's.
    private final class Stage {
        let worker: FakeIngest
        private(set) var follower: RingFollower
        var now: UInt64 = 1_000_000_000_000
        var slots: [SlotRef] = []
        var resets = 0
        private(set) var records = 0
        private(set) var polls = 0

        init(agents: Int) throws {
            worker = try FakeIngest(0, initialRingBytes: 64 << 10)
            follower = Self.makeFollower(worker)
            hear()
            try enter(agents)
            worker.ring.slowestReaderPosition = { [unowned self] in follower.reader?.position }
        }

        private static func makeFollower(_ worker: FakeIngest) -> RingFollower {
            RingFollower(
                worker: 0, descriptor: worker.dataRing,
                crashGuard: CrashGuard(poison: [], marker: InFlightRecord(.eventLoop)),
                records: RecordTable(generation: 1),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        private func hear() {
            follower.clock = { [unowned self] in now }
            follower.onRecord = { [unowned self] in records += 1 }
        }

        /// Another exporter takes its place.
        func replaceFollower() {
            follower = Self.makeFollower(worker)
            hear()
        }

        private func enter(_ agents: Int) throws {
            slots = try (0..<agents).map {
                try worker.enter(AgentID(high: 7, low: UInt64($0)), pod: "pod-\($0)")
            }
        }

        func sampleAll(_ value: Double) throws {
            for slot in slots { try worker.sample("value", value, of: slot) }
        }

        func poll() {
            polls += 1
            let before = records
            follower.poll()
            #expect(records - before < 2_000_000, "a poll reads what there is, once")
        }

        /// A quarter of a second, with what the worker and the supervisor do in it.
        func tick() throws {
            now += 250_000_000
            worker.ring.repairHeader()
            poll()
            follower.refreshAgents(nowNanoseconds: now)
            guard follower.faults.isDamagedForGood(nowNanoseconds: now) || worker.ring.lostCurrentRecords > 0 else {
                return
            }
            resets += 1
            try worker.reset()
            worker.ring.slowestReaderPosition = { [unowned self] in follower.reader?.position }
            try enter(slots.count)
        }

        /// For a test that fails.
        var account: String {
            let agents = slots.map { slot in
                let agent = follower.agents[slot.index]
                let entry = follower.reader?.entry(at: slot)
                return "\(agent?.identity != nil) \(agent?.table?.number ?? 0) \(agent?.sample?.tableNumber ?? 0)"
                    + " \(entry?.identityPosition ?? 1) \(entry?.seriesPosition ?? 1) \(entry?.samplePosition ?? 1)"
            }
            let position = follower.reader?.position ?? 1
            return "resets \(resets), \(follower.faults.trouble ?? "sound"), at \(position): \(agents)"
        }

        var values: [Double?] {
            slots.map { slot in
                guard let agent = follower.agents[slot.index], agent.slot == slot, agent.identity != nil,
                    let sample = agent.sample, agent.table?.number == sample.tableNumber
                else { return nil }
                return sample.bits.first.map(Double.init(bitPattern:))
            }
        }
    }

    @Test func ringFollower_recoversAfterRandomBitFlips() throws {
        var (stalled, skipped, reset, rescanned) = (0, 0, 0, 0)
        for seed in UInt64(1)...100 {
            var random = SeededGenerator(seed: seed)
            let stage = try Stage(agents: 5)
            try stage.sampleAll(1)
            stage.poll()
            for round in 0..<8 {
                try damage(stage, &random)
                stage.poll()
                try stage.sampleAll(Double(round))
                stage.poll()
                stage.follower.refreshAgents(nowNanoseconds: stage.now)
                if random.next() % 2 == 0 { try stage.tick() }
            }
            let polls = stage.polls
            // Long enough for each remedy: header put right, skip, reset.
            for _ in 0..<16 { try stage.tick() }
            try stage.sampleAll(77)
            for _ in 0..<8 { try stage.tick() }
            if stage.values != [77, 77, 77, 77, 77] { try stage.sampleAll(77) }
            for _ in 0..<2 { try stage.tick() }
            #expect(stage.values == [77, 77, 77, 77, 77], "seed \(seed), \(stage.account)")
            #expect(stage.follower.faults.trouble == nil && stage.follower.isAtHead, "seed \(seed)")
            #expect(stage.polls - polls == 26)
            stalled += stage.follower.faults.stalls > 0 ? 1 : 0
            skipped += stage.follower.damagedRecords > 0 ? 1 : 0
            rescanned += stage.follower.rescans > 0 ? 1 : 0
            reset += stage.resets > 0 ? 1 : 0
            // A record that the ring alone does not have any more, the next exporter finds to be missing.
            stage.replaceFollower()
            for _ in 0..<8 { try stage.tick() }
            if stage.values != [77, 77, 77, 77, 77] { try stage.sampleAll(77) }
            try stage.tick()
            #expect(stage.values == [77, 77, 77, 77, 77], "seed \(seed), \(stage.account)")
        }
        #expect(
            stalled > 40 && skipped > 3 && rescanned > 10 && reset >= 3,
            "bits were flipped where it matters: \(stalled) \(skipped) \(rescanned) \(reset)")
    }

    /// Flips bits in the header, the table, or what the ring holds.
    private func damage(_ stage: Stage, _ random: inout SeededGenerator) throws {
        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
        let writer = stage.worker.ring
        for _ in 0...below(3) {
            switch below(4) {
            case 0: stage.worker.flipBit(below(RingLayout.Header.fixedEnd * 8))
            case 1: stage.worker.flipBit(Self.movingWords[below(Self.movingWords.count)] * 8 + below(64))
            case 2: stage.worker.flipBit(RingLayout.tableOffset * 8 + below(5 * RingLayout.Slot.stride * 8))
            default:
                guard writer.usedBytes > 0 else { continue }
                let position = writer.tailPosition + UInt64(below(writer.usedBytes))
                let offset = writer.geometry.areaOffset + writer.geometry.offset(of: position)
                stage.worker.flipBit(offset * 8 + below(8))
            }
        }
    }

    private static let movingWords = [
        RingLayout.Header.head, RingLayout.Header.tail, RingLayout.Header.geometry.counter,
    ]

    @Test func ringFollower_waitsWhileTheHeadIsInvalid() throws {
        let stage = try Stage(agents: 2)
        try stage.sampleAll(1)
        stage.poll()
        let position = try #require(stage.follower.reader?.position)
        for bit in [0, 20, 40, 62, 63] { stage.worker.flipBit(RingLayout.Header.head * 8 + bit) }
        for _ in 0..<50 { stage.poll() }
        #expect(stage.follower.isWaiting && !stage.follower.isAtHead && stage.follower.faults.stalls == 1)
        #expect(stage.follower.reader?.position == position && stage.follower.faults.trouble != nil)
        try stage.tick()
        #expect(stage.follower.faults.trouble == nil)
        try stage.sampleAll(2)
        stage.poll()
        #expect(stage.values == [2, 2] && stage.resets == 0)
    }

    /// The script `ring_damage_never_heals`: the tail makes no sense for a moment, and a slot.
    @Test func ringFollower_readsMissedRecordsAfterTheHeaderIsRepaired() throws {
        let stage = try Stage(agents: 3)
        try stage.sampleAll(1)
        // This exporter has not read yet: its position is to come from the header.
        stage.poll()
        let bits =
            [64, 65, 90, 127].map { RingLayout.tableOffset * 8 + $0 } + (0..<64).map { RingLayout.Header.tail * 8 + $0 }
        for bit in bits { stage.worker.flipBit(bit) }
        stage.poll()
        stage.follower.refreshAgents(nowNanoseconds: stage.now)
        for bit in bits { stage.worker.flipBit(bit) }
        stage.poll()
        stage.follower.refreshAgents(nowNanoseconds: stage.now)
        #expect(stage.values == [1, 1, 1])
    }

    @Test func ringFollower_requestsAResetWhenCurrentRecordsAreUnreadable() throws {
        let stage = try Stage(agents: 2)
        try stage.sampleAll(1)
        let entry = try #require(stage.worker.ring.entry(at: stage.slots[1]))
        let offset = stage.worker.ring.geometry.areaOffset + stage.worker.ring.geometry.offset(of: entry.seriesPosition)
        stage.worker.flipBit((offset + RecordLayout.headerBytes + 3) * 8)
        for _ in 0..<3 { try stage.tick() }
        #expect(stage.follower.faults.trouble != nil && stage.resets == 0)
        #expect(stage.values == [1, nil])
        for _ in 0..<4 { try stage.tick() }
        #expect(stage.resets == 1)
        // Until they are back the agents of the old ring are known.
        #expect(stage.follower.formerAgents.agents.count == 2)
        try stage.sampleAll(3)
        for _ in 0..<2 { try stage.tick() }
        #expect(stage.values == [3, 3] && stage.resets == 1 && stage.follower.faults.trouble == nil)
    }
}

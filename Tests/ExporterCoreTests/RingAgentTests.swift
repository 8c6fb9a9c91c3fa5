// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Testing

@testable import ExporterCore
@testable import Rings

@Suite struct RingAgentTests {
    private func entry(
        _ status: AgentStatus, registeredAt: Int64 = 100, since: UInt64, streams: UInt32 = 0
    ) -> AgentEntry {
        AgentEntry(
            id: AgentID(high: 1, low: 2), status: status, registeredAtNanoseconds: registeredAt,
            statusSinceNanoseconds: since, openStreams: streams)
    }

    @Test func ringAgent_datesALossOnce() {
        let agent = RingAgent(slot: .none, entry: entry(.online, since: 1))
        agent.update(entry(.online, since: 1, streams: AgentStream.metrics.bit), nowNanoseconds: 10)
        #expect(agent.metricsLostAtNanoseconds == nil)
        agent.update(entry(.online, since: 1), nowNanoseconds: 20)
        #expect(agent.metricsLostAtNanoseconds == 20)
        agent.update(entry(.unconnected, since: 25), nowNanoseconds: 30)
        #expect(agent.metricsLostAtNanoseconds == 20)
    }

    @Test func ringAgent_takesTheLossTimeOfTheFormerRing() {
        let agent = RingAgent(slot: .none, entry: entry(.unconnected, since: 10))
        agent.update(entry(.unconnected, since: 10), nowNanoseconds: 30)
        agent.update(entry(.unconnected, registeredAt: 101, since: 40), nowNanoseconds: 50)
        #expect(agent.metricsLostAtNanoseconds == 40)
    }

    private func record(_ number: UInt64, subject: UInt64, isCompacted: Bool = false) -> RecordHeader {
        RecordHeader(
            type: .crashRecord, isCompacted: isCompacted, isCurrent: true, agent: .none, position: number * 64,
            sequence: number, generation: 0, number: number, subject: subject, byteCount: 8)
    }

    /// An agent may send crash records one after the other; of what its worker has let go of each costs a look or two.
    @Test func ringAgent_sweepsForgottenAnswersInBatches() {
        let agent = RingAgent(slot: .none, entry: entry(.online, since: 1))
        var looks = 0
        let count: UInt64 = 20_000
        var most = 0
        for number in 1...count {
            agent.takeAnswer(record(number, subject: number), Reading(isRebuild: false)) { held in
                looks += 1
                // As ingest has it: the newest 64, and one of long ago.
                return held.sequence == 1 || held.sequence + 64 > number
            }
            most = max(most, agent.answers.count)
        }
        #expect(looks <= 3 * Int(count) && most <= 256)
        #expect(agent.answers.values.contains { $0.sequence == 1 })
        #expect(agent.answers.values.contains { $0.sequence == count })
    }

    /// A ring that lets go of nothing costs no more.
    @Test func ringAgent_limitsAnswersPerAgent() {
        let agent = RingAgent(slot: .none, entry: entry(.online, since: 1))
        var looks = 0
        for number in 1...UInt64(5000) {
            agent.takeAnswer(record(number, subject: number), Reading(isRebuild: false)) { _ in
                looks += 1
                return true
            }
            #expect(agent.answers.count <= 2 * RingAgent.maximumAnswers)
        }
        #expect(looks <= 3 * 5000)
        #expect(agent.answers.values.map(\.sequence).max() == 5000)
    }

    @Test func ringAgent_keepsTheReceiveTimeOfACompactedAnswer() throws {
        let agent = RingAgent(slot: .none, entry: entry(.online, since: 1))
        agent.takeAnswer(record(1, subject: 7), Reading(isRebuild: true)) { _ in true }
        let before = try #require(agent.answers.values.first)
        var compacted = record(1, subject: 7, isCompacted: true)
        compacted.position = 6400
        agent.takeAnswer(compacted, Reading(isRebuild: false)) { _ in true }
        let after = try #require(agent.answers.values.first)
        #expect(after.position == 6400 && after.arrival.origin == before.arrival.origin)
    }
}

/// Of two rings that have an agent's sample, or answer, which has the newer?
@Suite struct ReceiveTimeTests {
    private let now: Int64 = 5_000

    private func came(_ receivedAt: UInt64, wall: Int64) -> ReceiveTime {
        ReceiveTime(
            origin: .came(readAtNanoseconds: receivedAt + 1, receivedAtNanoseconds: receivedAt), wallNanoseconds: wall)
    }

    private func found(wall: Int64) -> ReceiveTime {
        ReceiveTime(origin: .found(atNanoseconds: 1), wallNanoseconds: wall)
    }

    @Test func receiveTime_keepsTheOrderWhenTheClockIsSetBack() {
        let (old, new) = (came(100, wall: 9_000), came(101, wall: 4_000))
        #expect(new.isNewer(than: old, wallNow: now) && !old.isNewer(than: new, wallNow: now))
    }

    @Test func receiveTime_treatsFutureTimesAsOlderThanTheClockChange() {
        for (old, new) in [
            (found(wall: 9_000), found(wall: 4_000)), (found(wall: 9_000), came(1, wall: 4_000)),
            (came(1, wall: 9_000), found(wall: 4_000)),
        ] {
            #expect(new.isNewer(than: old, wallNow: now) && !old.isNewer(than: new, wallNow: now))
        }
    }

    @Test func receiveTime_comparesWallTimesOtherwise() {
        for (old, new) in [
            (found(wall: 3_000), found(wall: 4_000)), (found(wall: 3_000), came(1, wall: 4_000)),
            (came(1, wall: 3_000), found(wall: 4_000)), (found(wall: 8_000), found(wall: 9_000)),
            (found(wall: .min), found(wall: 0)), (came(7, wall: 3_000), came(7, wall: 4_000)),
        ] {
            #expect(new.isNewer(than: old, wallNow: now) && !old.isNewer(than: new, wallNow: now))
        }
        #expect(!found(wall: 1).isNewer(than: found(wall: 1), wallNow: now))
    }

    @Test func receiveTime_acceptsAnyTimeFromARing() {
        let reading = Reading(isRebuild: false)
        guard case .came(_, let oldest) = reading.origin(ofReceivedAt: .min),
            case .came(let readAt, let newest) = reading.origin(ofReceivedAt: .max)
        else {
            Issue.record("they did not come")
            return
        }
        #expect(oldest == 0 && newest == readAt)
    }
}

// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Testing

@testable import ExporterCore

@Suite struct WindowTimesTests {
    /// The order of two times is that of the times, not of what they are clamped to.
    @Test func windowTimes_compareBeforeTheyAreClamped() throws {
        func window(_ start: String, _ end: String) throws -> (start: Int64, end: Int64)? {
            let query = [
                HTTPQueryParameter(name: "start_time", value: start), HTTPQueryParameter(name: "end_time", value: end),
            ]
            return try WindowsEndpoint.window(of: HTTPRequest(path: "/metrics-windows", query: query)).get()
        }
        let all = try #require(try window("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"))
        #expect(all == (.min, .max))
        #expect(try #require(try window("0001-01-01T00:00:00Z", "0002-01-01T00:00:00Z")) == (.min, .min))
        #expect(throws: RequestMistake.self) { try window("9999-12-31T23:59:59Z", "9998-12-31T23:59:59Z") }
    }
}

@Suite struct ScrapeDeadlineTests {
    @Test func scrapeDeadline_keepsTheLargerReserve() {
        #expect(ScrapeDeadline.nanoseconds(header: "1") == 900_000_000)
        #expect(ScrapeDeadline.nanoseconds(header: "5") == 4_750_000_000)
        #expect(ScrapeDeadline.nanoseconds(header: "60") == 10_000_000_000)
        #expect(ScrapeDeadline.nanoseconds(header: "0.05") == 10_000_000)
    }

    @Test(arguments: [nil, "", "abc", "-1", "0", "nan", "inf"])
    func scrapeDeadline_ignoresInvalidNumbers(value: String?) {
        #expect(ScrapeDeadline.nanoseconds(header: value) == 10_000_000_000)
    }
}

@Suite struct StalenessPolicyTests {
    private let second: UInt64 = 1_000_000_000

    private func staleness(grace: UInt64 = 15) -> StalenessPolicy {
        StalenessPolicy(
            graceNanoseconds: grace * second, collectionStartedAt: 1_000 * second, now: 1_001 * second,
            wallNow: Int64(5_000 * second))
    }

    private func agent(
        readAt: UInt64 = 900, cameAt: UInt64? = nil, receivedAt: Int64 = 4_990, registeredAt: Int64 = 4_000
    ) -> StalenessPolicy.Agent {
        StalenessPolicy.Agent(
            sampleOrigin: .came(
                readAtNanoseconds: readAt * second, receivedAtNanoseconds: (cameAt ?? readAt) * second),
            sampleReceivedAt: receivedAt * Int64(second), sampleAge: (5_000 - receivedAt) * Int64(second),
            registeredAt: registeredAt * Int64(second))
    }

    /// As it is told when the record is read.
    private func age(ofReceivedAt time: Int64) -> Int64 {
        let reading = Reading(isRebuild: false)
        let now = Int64(clamping: reading.nowNanoseconds)
        return max(0, now.subtractingClamped(reading.monotonicNanoseconds(ofWall: time)))
    }

    @Test func stalenessPolicy_showsAgentsThatAnswered() {
        #expect(staleness().shows(agent(readAt: 1_000)))
        #expect(staleness(grace: 0).shows(agent(readAt: 1_000)))
    }

    /// A restart in the middle of a scrape makes no agent silent.
    @Test func stalenessPolicy_showsAgentsWhoseCollectionWasCutShort() {
        func cut(_ agent: StalenessPolicy.Agent) -> StalenessPolicy.Agent {
            var cut = agent
            cut.isCutShort = true
            return cut
        }
        #expect(!staleness().shows(agent()) && staleness().shows(cut(agent())))
        #expect(staleness().state(of: agent()) == .silent && staleness().state(of: cut(agent())) == .lastKnown)
        #expect(!staleness().shows(cut(agent(receivedAt: 4_000))), "what is history is not")
        #expect(!staleness(grace: 0).shows(cut(agent())) && staleness(grace: 0).shows(cut(agent(readAt: 1_000))))
        #expect(staleness(grace: 0).state(of: cut(agent(readAt: 1_000))) == .answered)
    }

    @Test func stalenessPolicy_doesNotCountACopiedSampleAsAnAnswer() {
        #expect(!staleness().shows(agent(readAt: 1_000, cameAt: 998)))
        // Ingest looks at its clock once in a turn.
        #expect(staleness().shows(agent(readAt: 1_000, cameAt: 999)))
    }

    @Test func stalenessPolicy_servesInheritedSamplesForTheGrace() {
        var found = agent()
        found.sampleOrigin = .found(atNanoseconds: 990 * second)
        #expect(staleness().shows(found))
        #expect(!staleness(grace: 0).shows(found))
        found.sampleOrigin = .found(atNanoseconds: 980 * second)
        #expect(!staleness().shows(found))
    }

    @Test func stalenessPolicy_hidesAHungAgentWithAnOpenStream() {
        #expect(!staleness().shows(agent()))
    }

    @Test func stalenessPolicy_showsALostAgentForTheGrace() {
        for keyPath in [\StalenessPolicy.Agent.streamLostAt, \.workerLostAt] {
            var lost = agent()
            lost[keyPath: keyPath] = 990 * second
            #expect(staleness().shows(lost))
            #expect(!staleness(grace: 0).shows(lost))
            lost[keyPath: keyPath] = 980 * second
            #expect(!staleness().shows(lost))
        }
    }

    @Test func stalenessPolicy_countsFromTheAgentsOwnLossWhenTheWorkerIsLostLater() {
        var lost = agent()
        lost.streamLostAt = 980 * second
        lost.workerLostAt = 1_000 * second
        #expect(!staleness().shows(lost))
        lost.sampleOrigin = .found(atNanoseconds: 1_000 * second)
        #expect(!staleness().shows(lost))
        lost.streamLostAt = nil
        #expect(staleness().shows(lost))
    }

    @Test func stalenessPolicy_showsAReconnectedAgentBeforeItsFirstAnswer() {
        #expect(staleness().shows(agent(registeredAt: 4_995)))
        #expect(!staleness(grace: 0).shows(agent(registeredAt: 4_995)))
        // Its former worker had an answer of it while it registered at the next.
        var moved = agent(receivedAt: 4_996, registeredAt: 4_995)
        #expect(!staleness().shows(moved))
        moved.isSampleOfAnotherOwner = true
        #expect(staleness().shows(moved))
        moved.registeredAt = 4_980
        #expect(!staleness().shows(moved))
        // The wall clock has been set back since.
        #expect(!staleness().shows(agent(registeredAt: 5_001)))
    }

    @Test func stalenessPolicy_hidesSamplesOlderThanFiveMinutes() {
        var lost = agent(receivedAt: 4_699)
        lost.streamLostAt = 1_000 * second
        #expect(!staleness().shows(lost))
    }

    /// The wall clock was set forward by a year, when it was looked at last everything was as it should be.
    @Test func stalenessPolicy_ignoresAClockSetForward() {
        var lost = agent()
        lost.streamLostAt = 990 * second
        var later = staleness()
        later.wallNow += 365 * 86_400 * Int64(second)
        #expect(later.shows(lost))
        lost.streamLostAt = nil
        lost.isCutShort = true
        #expect(later.shows(lost))
    }

    @Test func stalenessPolicy_acceptsAnyTimeFromARing() {
        for time in [Int64.min, .min + 1, -1, 0, .max] {
            var lost = agent()
            lost.sampleReceivedAt = time
            lost.sampleAge = age(ofReceivedAt: time)
            lost.registeredAt = time
            lost.streamLostAt = 990 * second
            #expect(staleness().shows(lost) == (time == .max))
            lost.streamLostAt = nil
            #expect(!staleness().shows(lost))
        }
    }
}

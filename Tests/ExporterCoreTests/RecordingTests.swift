// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import RingMessages
import Rings
import Testing

@testable import BlackBox
@testable import ExporterCore

private let second: UInt64 = 1_000_000_000

struct OwnCollectionsTests {
    /// When collections begin by themselves within a time, while scrapes come.
    private static func own(scrapes: [UInt64], until end: UInt64) -> [UInt64] {
        var own = OwnCollections(intervalNanoseconds: 10 * second)
        var (last, begun): (UInt64?, [UInt64]) = (nil, [])
        var waiting = scrapes[...]
        for now in stride(from: 0, through: end, by: Int(second / 10)) {
            if let next = waiting.first, next <= now {
                waiting.removeFirst()
                last = now
            } else if now >= own.due(last: last, now: now) {
                last = now
                own.began(atNanoseconds: now)
                begun.append(now)
            }
        }
        return begun
    }

    @Test func ownCollections_comeAtTheIntervalWhenNobodyScrapes() {
        #expect(Self.own(scrapes: [], until: 35 * second) == [0, 10 * second, 20 * second, 30 * second])
    }

    @Test func ownCollections_areSavedByScrapesOfTheSameInterval() {
        let scrapes = (0..<100).map { UInt64($0) * 10 * second + ($0 % 2 == 0 ? 0 : 1_500_000_000) }
        #expect(Self.own(scrapes: scrapes, until: 990 * second) == [])
    }

    @Test func ownCollections_areSavedByScrapesThatComeMoreOften() {
        #expect(Self.own(scrapes: (0..<400).map { UInt64($0) * second }, until: 390 * second) == [])
    }

    @Test func ownCollections_comeBetweenScrapesThatComeLessOften() {
        let own = Self.own(scrapes: (0..<10).map { UInt64($0) * 60 * second }, until: 595 * second)
        // After 12 s, then every 10 s.
        #expect(own.count == 10 * 5)
        #expect(Array(own.prefix(6)) == [12, 22, 32, 42, 52, 72].map { $0 * second })
    }
}

struct ProfileFetcherTests {
    private static func wanted(_ number: UInt64) -> ProfileFetcher.Wanted {
        .init(
            agent: AgentID(high: number, low: 1), podName: "pod-\(number)", profileID: "p", type: "heap",
            filepath: "/p/heap.pprof")
    }

    private final class Stand {
        let line = FakeLine()
        let fetcher: ProfileFetcher

        init(_ loop: any EventLoop) {
            // The agent with number 9 is away.
            fetcher = ProfileFetcher(line: line, loop: loop) { $0.high == 9 ? nil : Int($0.high) }
        }
    }

    private func run(_ body: @escaping @Sendable (Stand) -> Void) throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        try loop.submit { body(Stand(loop)) }.wait()
    }

    @Test func profileFetcher_fetchesOneAtATime() throws {
        try run { stand in
            stand.fetcher.found([Self.wanted(9), Self.wanted(1), Self.wanted(2)], nowNanoseconds: 0)
            stand.fetcher.found([Self.wanted(2)], nowNanoseconds: 0)
            #expect(stand.line.started.map(\.worker) == [1])
            #expect(stand.line.started.first?.command.filepath == "/p/heap.pprof")
            stand.fetcher.ended(number: 77, FetchEnding(.complete))
            stand.fetcher.found([Self.wanted(2)], nowNanoseconds: 0)
            #expect(stand.line.started.count == 1)
            stand.fetcher.ended(number: 1, FetchEnding(.complete))
            // It may not be in the black box yet.
            stand.fetcher.found([Self.wanted(1), Self.wanted(2)], nowNanoseconds: 0)
            #expect(stand.line.started.map(\.worker) == [1, 2])
            #expect(stand.fetcher.outcomes == [.completed: 1])
        }
    }

    @Test func profileFetcher_givesUpAfterSomeTries() throws {
        try run { stand in
            for round in 0..<10 as Range<UInt64> {
                stand.fetcher.found([Self.wanted(1)], nowNanoseconds: round * ProfileFetcher.retryNanoseconds)
                let number = UInt64(stand.line.started.count)
                if round == 0 {
                    stand.fetcher.workerLost(2)
                    stand.fetcher.workerLost(1)
                } else {
                    stand.fetcher.ended(number: number, FetchEnding(.agentError, message: "no such file"))
                }
            }
            #expect(stand.line.started.count == ProfileFetcher.limitTries)
            #expect(stand.fetcher.outcomes == [.failed: UInt64(ProfileFetcher.limitTries)])
        }
    }

    @Test func profileFetcher_givesWayToPeople() throws {
        try run { stand in
            stand.fetcher.personCame()
            stand.fetcher.found([Self.wanted(1)], nowNanoseconds: 0)
            #expect(stand.line.started.isEmpty)
            stand.fetcher.personLeft()
            stand.fetcher.found([Self.wanted(1)], nowNanoseconds: 0)
            stand.fetcher.chunkArrived(number: 1, byteCount: 1000)
            #expect(stand.line.credits.isEmpty, "at its own pace")
            stand.fetcher.personCame()
            stand.fetcher.chunkArrived(number: 1, byteCount: 500)
            stand.fetcher.chunkArrived(number: 2, byteCount: 500)
            #expect(stand.line.credits == [1: [1000, 1500]], "as fast as the agent sends")
        }
    }

    @Test func profileFetcher_takesChunksAtItsPace() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let stand = try await loop.submit {
            let stand = Stand(loop)
            stand.fetcher.found([Self.wanted(1)], nowNanoseconds: 0)
            stand.fetcher.chunkArrived(number: 1, byteCount: 1000)
            return NIOLoopBound(stand, eventLoop: loop)
        }.get()
        let credits = try await loop.scheduleTask(in: ProfileFetcher.pace + .milliseconds(20)) {
            stand.value.line.credits
        }.futureResult.get()
        #expect(credits == [1: [1000]])
    }
}

struct GapFillerTests {
    private static func missing(_ number: Int64) -> GapFiller.Missing {
        .init(nodeID: number, podName: "pod-\(number)", fromNanoseconds: 100, untilNanoseconds: 200)
    }

    @Test func gapFiller_asksOnceForEachGap() {
        var asked: [(request: Windows.Request, done: (Windows.Outcome) -> Void)] = []
        var isBusy = true
        let filler = GapFiller(isBusy: { isBusy }, ask: { asked.append(($0, $1)) })
        let missing = [Self.missing(1), Self.missing(2)]
        filler.found(missing)
        #expect(asked.isEmpty, "after scrapes")
        isBusy = false
        filler.found(missing)
        filler.found(missing)
        #expect(asked.map(\.request.filter.podName) == ["pod-1"], "one at a time")
        #expect(asked.first?.request.startNanoseconds == 100 && asked.first?.request.endNanoseconds == 200)
        asked[0].done(.done([]))
        filler.found(missing)
        asked[1].done(.done([]))
        filler.found(missing)
        #expect(asked.map(\.request.filter.podName) == ["pod-1", "pod-2"])
        #expect(filler.outcomes == [.answered: 2])
    }

    @Test func gapFiller_triesAgainWhatWasRefused() {
        var asked = 0
        let filler = GapFiller(
            isBusy: { false },
            ask: { _, done in
                asked += 1
                done(.refused(.tooMany))
            })
        for _ in 0..<10 { filler.found([Self.missing(1)]) }
        #expect(asked == GapFiller.limitTries)
    }
}

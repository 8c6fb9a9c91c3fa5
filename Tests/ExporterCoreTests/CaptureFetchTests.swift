// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Pprof
import RingMessages
import TestSupport
import Testing

@testable import ExporterCore

/// Profiles on their way into memory, to be shown in another form.
@Suite struct CaptureFetchTests {
    private static let limitBytes = 1 << 20

    /// On the harness's event loop alone.
    private final class Probe: @unchecked Sendable {
        var fetch: CaptureFetch?
        var outcomes: [CaptureFetch.Outcome] = []

        var bytes: [UInt8]? { try? outcomes.first?.get() }
        var refusal: DownloadRefusal? {
            if case .failure(let refusal)? = outcomes.first { refusal } else { nil }
        }
    }

    private func begin(_ harness: DownloadHarness) throws -> Probe {
        let probe = Probe()
        try harness.run { parts in
            probe.fetch = parts.downloads.fetch(parts.handler.request, limitBytes: Self.limitBytes) {
                probe.outcomes.append($0)
            }
        }
        return probe
    }

    /// A fetch that has failed leaves nothing behind, and its reason comes once.
    private func expectRefusal(
        _ probe: Probe, _ failure: DownloadFailure, status: Int, _ harness: DownloadHarness, isDropped: Bool
    ) throws {
        try harness.eventually("the refusal") { _ in probe.outcomes.count == 1 }
        try harness.run { parts in
            #expect(probe.refusal?.failure == failure && probe.refusal?.status == status)
            #expect(parts.downloads.statistics.failures == [failure: 1] && parts.downloads.statistics.underWay == 0)
            #expect(parts.line.dropped == (isDropped ? [1] : []))
        }
    }

    @Test func profileViews_takeMemoryForWhatIsAnnounced() {
        let limits = PprofLimits(memoryBytes: 96 << 20)
        func taken(_ announced: [UInt64]) -> Int { ProfileViews.captureBytes(announced: announced, limits) }
        #expect(taken([3 << 20]) == 3 << 20)
        #expect(taken([3 << 20, 5 << 20]) == 5 << 20, "of each of the two")
        #expect(taken([0]) == ProfileViews.smallestCaptureBytes)
        #expect(taken([.max]) == limits.compressedBytes && taken([1 << 30]) == 12 << 20)
    }

    @Test func captureFetch_handsOverAllBytesAndCreditsThem() throws {
        let harness = try DownloadHarness(sizeBytes: 1 << 20)
        let probe = try begin(harness)
        try harness.run { #expect($0.line.started.first?.command == $0.handler.request.command) }
        try harness.feed(Self.limitBytes, chunkBytes: { 300_000 })
        try harness.end()
        try harness.eventually("the profile") { _ in probe.outcomes.count == 1 }
        try harness.run { parts in
            #expect(probe.bytes == patternBytes(0..<Self.limitBytes))
            // In steps, so the last bytes may be credited by nothing but the end.
            let credited = parts.line.credits[1]?.last ?? 0
            #expect(credited > UInt64(Self.limitBytes) - Download.creditStepBytes && parts.line.dropped.isEmpty)
            #expect(parts.downloads.statistics.completed == 1 && parts.downloads.statistics.underWay == 0)
        }
    }

    @Test func captureFetch_doesNotAskForWhatIsSaidToBeTooLarge() throws {
        let harness = try DownloadHarness(sizeBytes: 1 << 20 + 1)
        let probe = try begin(harness)
        try expectRefusal(probe, .tooLarge, status: 422, harness, isDropped: false)
        try harness.run { #expect($0.line.started.isEmpty) }
    }

    @Test func captureFetch_endsWithTheByteThatIsTooMuch() throws {
        let harness = try DownloadHarness()
        let probe = try begin(harness)
        try harness.chunk(0..<Self.limitBytes)
        try harness.run { _ in #expect(probe.outcomes.isEmpty) }
        try harness.chunk(Self.limitBytes..<Self.limitBytes + 1)
        try expectRefusal(probe, .tooLarge, status: 422, harness, isDropped: true)
        // Chunks that are still on their way change nothing.
        try harness.chunk(Self.limitBytes + 1..<Self.limitBytes + 2)
        try harness.end()
        try expectRefusal(probe, .tooLarge, status: 422, harness, isDropped: true)
    }

    @Test func captureFetch_refusesGaps() throws {
        let harness = try DownloadHarness()
        let probe = try begin(harness)
        try harness.chunk(0..<10)
        try harness.chunk(11..<20)
        try expectRefusal(probe, .outOfOrder, status: 502, harness, isDropped: true)
    }

    @Test func captureFetch_refusesWhatLacksItsEnd() throws {
        let harness = try DownloadHarness()
        let probe = try begin(harness)
        try harness.chunk(0..<10)
        try harness.run { $0.downloads.ended(number: 1, FetchEnding(.complete), byteCount: 11) }
        try expectRefusal(probe, .outOfOrder, status: 502, harness, isDropped: false)
    }

    @Test func captureFetch_saysWhyTheAgentHasNone() throws {
        let harness = try DownloadHarness()
        let probe = try begin(harness)
        try harness.end(FetchEnding(.agentError, message: "rotated away"))
        try expectRefusal(probe, .agentError, status: 404, harness, isDropped: false)
        try harness.run { _ in #expect(probe.refusal?.text == "rotated away") }
    }

    @Test func captureFetch_endsWithItsWorker() throws {
        let harness = try DownloadHarness()
        let probe = try begin(harness)
        try harness.run { $0.downloads.workerLost($0.handler.request.worker) }
        try expectRefusal(probe, .workerLost, status: 502, harness, isDropped: false)
    }

    @Test func captureFetch_isRefusedByABusyWorkerAndADrainingExporter() throws {
        let busy = try DownloadHarness()
        try busy.run { $0.line.takesCommands = false }
        try expectRefusal(try begin(busy), .workerBusy, status: 503, busy, isDropped: false)
        let draining = try DownloadHarness()
        try draining.run { $0.downloads.endAll() }
        try expectRefusal(try begin(draining), .draining, status: 503, draining, isDropped: false)
    }

    @Test func captureFetch_thatIsCancelledIsDroppedAndTellsNobody() throws {
        let harness = try DownloadHarness()
        let probe = try begin(harness)
        try harness.chunk(0..<10)
        try harness.run { _ in probe.fetch?.cancel() }
        try harness.end()
        try harness.run { parts in
            #expect(probe.outcomes.isEmpty && parts.line.dropped == [1])
            #expect(parts.downloads.statistics.clientsGone == 1 && parts.downloads.statistics.underWay == 0)
        }
    }

    @Test(
        arguments: [
            ([], nil), ([("format", "svg")], .init(format: .svg, sampleType: nil, base: nil)),
            (
                [("format", "top"), ("type", "inuse_space"), ("diff", "p-1")],
                .init(format: .top, sampleType: "inuse_space", base: "p-1")
            ),
        ] as [([(String, String)], ProfileQuestion?)])
    func profileQuestion_isReadOfTheQuery(query: [(String, String)], question: ProfileQuestion?) throws {
        let request = HTTPRequest(path: "/p", query: query.map { .init(name: $0.0, value: $0.1) })
        #expect(try ProfileQuestion.of(request) == question)
    }

    @Test(arguments: [
        ([("format", "pdf")], "svg, collapsed, speedscope, top, json"), ([("format", "")], "must be one of"),
        ([("type", "space")], "need format="), ([("diff", "p-1")], "need format="),
        ([("format", "svg"), ("type", "")], "type="), ([("format", "svg"), ("diff", "")], "diff="),
    ])
    func profileQuestion_isRefusedWithTheRemedy(query: [(String, String)], text: String) {
        let request = HTTPRequest(path: "/p", query: query.map { .init(name: $0.0, value: $0.1) })
        #expect { try ProfileQuestion.of(request) } throws: { ($0 as? RequestMistake)?.text.contains(text) == true }
    }
}

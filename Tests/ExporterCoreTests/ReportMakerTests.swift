// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOPosix
import Testing

@testable import ExporterCore

@Suite struct ReportMakerTests {
    private final class Counts {
        var prepared: [String] = []
        var outcomes: [String] = []
    }

    private typealias Maker = ReportMaker<String, String, String>

    /// Runs on a loop; the thread waits for the gate before each making.
    private func withMaker(
        limitBytes: Int = 100, answerBytes: Int = 10, _ body: @escaping (Maker, Counts, ReportBudget) -> Void
    ) throws -> (prepared: [String], outcomes: [String], usedBytes: Int) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { group.shutdownGracefully { _ in } }
        let loop = group.next()
        let done = loop.makePromise(of: Void.self)
        nonisolated(unsafe) let counts = Counts()
        nonisolated(unsafe) let budget = ReportBudget(limitBytes: limitBytes)
        nonisolated(unsafe) let body = body
        try loop.submit {
            let maker = Maker(
                thread: try ReportThread(name: "test", loop: loop, marker: InFlightRecord(.topologyThread)),
                deliveries: DeliveryQueue(loop: loop)
            ) { question throws(ReportFailure) in
                let lease = try budget.reserve(answerBytes: answerBytes)
                counts.prepared.append(question)
                return Maker.Job(answers: lease) { _ in .success("made for \(question)") }
            } finish: {
                "\($0), once"
            }
            body(maker, counts, budget)
            // The last comes after all others, those among them that were asked when a report was there.
            maker.report("next to last") { _ in maker.report("last") { _ in done.succeed() } }
        }.wait()
        try done.futureResult.wait()
        return try loop.submit {
            (counts.prepared, counts.outcomes, budget.usedBytes)
        }
        .wait()
    }

    private func note(_ counts: Counts) -> (Maker.Outcome) -> Void {
        { outcome in
            switch outcome {
            case .success(let report): counts.outcomes.append(report)
            case .failure(let failure): counts.outcomes.append(failure.cause)
            }
        }
    }

    @Test func reportMaker_makesOneReportForEqualRequests() throws {
        let (prepared, outcomes, usedBytes) = try withMaker { maker, counts, _ in
            for _ in 0..<200 {
                maker.report("a", note(counts))
                maker.report("b", note(counts))
            }
        }
        #expect(prepared == ["a", "b", "next to last", "last"])
        #expect(outcomes.filter { $0 == "made for a, once" }.count == 200)
        #expect(outcomes.filter { $0 == "made for b, once" }.count == 200)
        #expect(usedBytes == 0)
    }

    /// The copied answers are those of one report, however many are asked for.
    @Test func reportMaker_copiesAnswersForOneReportAtATime() throws {
        let (prepared, outcomes, _) = try withMaker(limitBytes: 10, answerBytes: 10) { maker, counts, _ in
            for question in 0..<50 { maker.report("\(question)", note(counts)) }
        }
        #expect(prepared.count == 52 && outcomes.count == 50 && outcomes.allSatisfy { $0.hasPrefix("made for ") })
    }

    @Test func reportMaker_refusesAllRequestsForAReportThatDoesNotFit() throws {
        let (prepared, outcomes, _) = try withMaker(limitBytes: 100, answerBytes: 60) { maker, counts, budget in
            let others = try? budget.reserve(answerBytes: 50)
            for _ in 0..<3 { maker.report("a", note(counts)) }
            maker.report("b") { _ in others?.end() }
        }
        #expect(outcomes == Array(repeating: "too_many_bytes", count: 3))
        #expect(prepared == ["next to last", "last"], "nothing is copied for what is refused")
    }

    /// Answers that came after a report was begun are in the next one.
    @Test func reportMaker_startsAnotherReportForALaterRequest() throws {
        let (prepared, outcomes, _) = try withMaker { maker, counts, _ in
            maker.report("a") { _ in
                maker.report("a", note(counts))
                maker.report("a", note(counts))
            }
        }
        #expect(prepared.filter { $0 == "a" }.count == 2 && outcomes == ["made for a, once", "made for a, once"])
    }
}

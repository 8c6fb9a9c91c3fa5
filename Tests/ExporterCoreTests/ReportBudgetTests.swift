// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore
import Testing

@testable import ExporterCore

@Suite struct ByteBudgetTests {
    @Test func byteBudget_grantsExactlyItsLimit() {
        var budget = ByteBudget(limitBytes: 100)
        var taken = [60, 40, 1].map { budget.take($0) }
        #expect(taken == [true, true, false] && budget.usedBytes == 100)
        budget.giveBack(60)
        taken = [61, .max, 60].map { budget.take($0) }
        #expect(taken == [false, false, true] && budget.usedBytes == 100)
    }
}

@Suite struct ReportBudgetTests {
    @Test func reportBudget_countsAnswersAndReportsTogether() throws {
        let budget = ReportBudget(limitBytes: 100)
        let answers = try budget.reserve(answerBytes: 60)
        #expect(budget.usedBytes == 60 && budget.heldBytes == 0)
        var report: ReportBudget.Lease? = try budget.reserve(reportBytes: 40)
        #expect(budget.usedBytes == 100 && budget.heldBytes == 40)
        #expect(throws: ReportFailure.self) { _ = try budget.reserve(answerBytes: 1) }
        answers.end()
        #expect(budget.usedBytes == 40)
        answers.end()
        #expect(budget.usedBytes == 40, "what is ended twice is given back once")
        #expect(report != nil)
        report = nil
        #expect(budget.usedBytes == 0 && budget.heldBytes == 0)
    }

    @Test func reportBudget_tellsTemporaryFromPermanentRefusals() {
        func cause(_ body: () throws -> Void) -> String? {
            do { try body() } catch { return (error as? ReportFailure)?.cause }
            return nil
        }
        let budget = ReportBudget(limitBytes: 100)
        #expect(cause { _ = try budget.reserve(answerBytes: 100) } == nil)
        #expect(cause { _ = try budget.reserve(answerBytes: 101) } == "too_large")
        #expect(cause { _ = try budget.reserve(reportBytes: 100) } == nil)
        #expect(cause { _ = try budget.reserve(reportBytes: 101) } == "too_many_bytes")
        let lease = try? budget.reserve(answerBytes: 100)
        #expect(cause { _ = try budget.reserve(answerBytes: 100) } == "too_many_bytes")
        lease?.end()
    }

    /// The slowest clients make way, as long as there are any.
    @Test func reportBudget_cutsSlowReadersForTheNextReport() throws {
        let budget = ReportBudget(limitBytes: 100)
        var held = [try budget.reserve(reportBytes: 50), try budget.reserve(reportBytes: 50)]
        budget.cutSlowestReader = { held.popLast() != nil }
        let answers = try budget.reserve(answerBytes: 70)
        #expect(held.isEmpty && budget.usedBytes == 70)
        #expect(throws: ReportFailure.self) { _ = try budget.reserve(answerBytes: 31) }
        answers.end()
    }
}

@Suite struct FinishedReportTests {
    private func text(_ body: HTTPBody) -> [UInt8] {
        switch body {
        case .bytes(let bytes): return Array(bytes.readableBytesView)
        case .sized(var producer, let byteCount):
            var buffer = ByteBuffer()
            var progress = HTTPBodyProgress.more
            while progress == .more { progress = producer.produce(into: &buffer, targetBytes: 100_000) }
            return progress == .done && buffer.readableBytes == byteCount ? Array(buffer.readableBytesView) : []
        default: return []
        }
    }

    @Test(arguments: [0, 1, 256 << 10, 256 << 10 + 1, 1 << 20])
    func finishedReport_sendsEveryByteOnceToEachClient(byteCount: Int) throws {
        let json = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let report = try FinishedReport(MadeReport(json), ReportBudget(limitBytes: 1 << 30))
        for _ in 0..<3 { #expect(text(report.body) == json) }
    }

    @Test func finishedReport_isHeldOnceForAllClients() throws {
        let budget = ReportBudget(limitBytes: 1 << 20)
        var report: FinishedReport? = try FinishedReport(MadeReport([UInt8](repeating: 1, count: 1 << 20)), budget)
        var bodies = (0..<200).compactMap { _ in report?.body }
        #expect(budget.heldBytes == 1 << 20)
        report = nil
        bodies.removeLast(199)
        #expect(budget.heldBytes == 1 << 20)
        bodies = []
        #expect(budget.usedBytes == 0)
    }

    @Test func finishedReport_isRefusedBeyondTheBudget() throws {
        let budget = ReportBudget(limitBytes: 1 << 20)
        let made = MadeReport([UInt8](repeating: 1, count: 1 << 20))
        let first = try FinishedReport(made, budget)
        #expect(throws: ReportFailure.self) { _ = try FinishedReport(made, budget) }
        #expect(first.isHeld && budget.heldBytes == 1 << 20)
    }
}

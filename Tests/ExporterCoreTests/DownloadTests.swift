// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import RingMessages
import TestSupport
import Testing

@testable import ExporterCore

/// Profiles on their way to clients, over real sockets and a real folder.
@Suite struct DownloadTests {
    private let mebibyte = 1 << 20

    @Test func download_ofAFastClientStaysInMemory() throws {
        let harness = try DownloadHarness(sizeBytes: 1 << 20)
        let client = try harness.asked()
        try harness.run { parts in
            let started = parts.line.started[0]
            #expect(started.worker == 1 && started.command == parts.handler.request.command)
            #expect(parts.downloads.statistics.reservedBytes == 1 << 20)
        }
        try harness.feed(mebibyte, chunkBytes: { 100_000 })
        try harness.end()
        let (answer, end) = client.receiveAll()
        #expect(end == .complete)
        let (head, body) = parts(of: answer)
        #expect(head.hasPrefix("HTTP/1.1 200"))
        #expect(head.contains("Content-Type: application/octet-stream\r\n"))
        #expect(head.contains("Content-Disposition: attachment; filename=\"data-0-ROLE_DATA-p_1-heap.pprof\""))
        #expect(body == patternBytes(0..<mebibyte))
        try harness.eventually("the end") { $0.downloads.statistics.underWay == 0 }
        let statistics = try harness.statistics
        #expect(statistics.completed == 1 && statistics.bytes == 1 << 20 && statistics.failures.isEmpty)
        #expect(statistics.spooledPeakBytes == 0 && statistics.reservedBytes == 0)
        #expect(try harness.dropped == [])
    }

    /// A ring may lose the last chunk as well as any other.
    @Test func download_withoutItsLastChunkIsCut() throws {
        let harness = try DownloadHarness(sizeBytes: 1 << 20)
        let client = try harness.asked()
        try harness.feed(mebibyte)
        try harness.run { $0.downloads.ended(number: 1, FetchEnding(.complete), byteCount: 1 << 20 + 1) }
        #expect(client.receiveAll().end != .complete)
        #expect(try harness.statistics.failures == [.outOfOrder: 1])
    }

    @Test func download_ofASlowClientWaitsInTheFile() throws {
        let total = 12 * mebibyte
        let harness = try DownloadHarness(sizeBytes: Int64(total))
        let client = try harness.asked(receiveBufferBytes: 16 * 1024)
        // The client reads nothing, and yet the agent gets rid of everything.
        try harness.feed(total)
        let leastTaken = UInt64(total - Download.memoryBytes) - Download.creditStepBytes
        try harness.eventually("all taken but what may wait in memory") {
            ($0.line.credits[1]?.last ?? 0) >= leastTaken
        }
        try harness.end()
        let statistics = try harness.statistics
        #expect(statistics.spooledBytes > 8 << 20 && statistics.spooledPeakBytes <= 12 << 20)
        #expect(statistics.reservedBytes <= 12 << 20)
        #expect(entries(of: harness.folder).isEmpty)
        let (answer, end) = client.receiveAll()
        #expect(end == .complete)
        #expect(parts(of: answer).body == patternBytes(0..<total))
        try harness.eventually("the end") { $0.downloads.statistics.underWay == 0 }
        let after = try harness.statistics
        #expect(after.completed == 1 && after.bytes == UInt64(total))
        #expect(after.spooledBytes == 0 && after.reservedBytes == 0)
        try harness.run { parts in
            let credits = parts.line.credits[1] ?? []
            #expect(credits == credits.sorted() && Set(credits).count == credits.count)
            #expect(credits.last.map { $0 <= UInt64(total) } == true)
            #expect(parts.downloads.thread.waitingBytes == 0)
        }
    }

    /// Seeded: chunks of any length, a client that now keeps up and now does not, in and out of the file.
    @Test(arguments: 0..<6) func download_hasTheSameBytesThroughMemoryAndFile(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let total = Int.random(in: 1...(10 * mebibyte), using: &random)
        // The agent's own size may be wrong.
        let harness = try DownloadHarness(sizeBytes: Int64.random(in: -1...Int64(total), using: &random))
        let client = try harness.asked(receiveBufferBytes: 64 * 1024)
        // The client waits, and the threads of Swift's tasks are few: this one may be the last.
        let thread = try JobThread(name: "client")
        let reading = AwaitedValue<(bytes: [UInt8], end: DownloadClient.End)>()
        thread.run {
            var pauses = SeededGenerator(seed: UInt64(seed) + 1000)
            reading.set(
                client.receiveAll {
                    if Int.random(in: 0..<20, using: &pauses) == 0 {
                        usleep(UInt32.random(in: 0...60_000, using: &pauses))
                    }
                })
        }
        thread.stop()
        let biggest = [300, 70_000, 1 << 20, 2 << 20].randomElement(using: &random) ?? 1
        // Few enough chunks for a debug build.
        let smallest = min(biggest, total / 500 + 1)
        try harness.feed(total) { Int.random(in: smallest...max(smallest, biggest), using: &random) }
        try harness.end()
        let (answer, end) = reading.wait()
        #expect(end == .complete, "seed \(seed)")
        #expect(parts(of: answer).body == patternBytes(0..<total), "seed \(seed)")
        try harness.eventually("the end, seed \(seed)") { $0.downloads.statistics.underWay == 0 }
        let statistics = try harness.statistics
        #expect(statistics.completed == 1 && statistics.reservedBytes == 0 && statistics.spooledBytes == 0)
    }

    @Test func download_ofAnEmptyProfileIsComplete() throws {
        let harness = try DownloadHarness()
        let client = try harness.asked()
        try harness.chunk(0..<0)
        try harness.end()
        let (head, end) = client.receive()
        #expect(end == nil)
        let text = String(decoding: head, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 200") && text.contains("Content-Length: 0\r\n"))
        #expect(try harness.statistics.completed == 1)
    }

    @Test func download_byHeadAsksNoAgent() throws {
        let harness = try DownloadHarness()
        let client = DownloadClient(port: harness.port)
        client.send("HEAD /p HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        let text = String(decoding: client.receiveAll().bytes, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 200") && text.contains("filename=") && !text.contains("Content-Length"))
        #expect(try harness.run { $0.line.started.count } == 0)
        #expect(try harness.statistics.started == 0)
    }

    // MARK: Ends

    @Test(arguments: [
        (FetchEnding(.agentError, message: "no such profile"), 404, "no such profile", false),
        (FetchEnding(.agentGone, message: "the stream has ended"), 502, "the stream has ended", false),
        (FetchEnding(.silent), 504, "does not answer", false),
        (FetchEnding(.notTaken), 503, "the client has read nothing", true),
        (FetchEnding(.busy, message: "16 downloads wait"), 503, "16 downloads wait", true),
        (FetchEnding(.unknownAgent), 503, "not connected", true),
        (FetchEnding(.draining), 503, "being stopped", true),
    ])
    func download_thatEndsBeforeTheFirstByteIsAnError(ending: FetchEnding, status: Int, text: String, isTransient: Bool)
        throws
    {
        let harness = try DownloadHarness(sizeBytes: 1000)
        let answer = try harness.refusal { harness in
            try harness.eventually("asked") { $0.line.started.count == 1 }
            try harness.end(ending)
        }
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        #expect(answer.contains(text))
        #expect(answer.contains("Retry-After: ") == isTransient)
        // Ingest has ended it: there is nothing to drop.
        #expect(try harness.dropped == [])
        let statistics = try harness.statistics
        #expect(statistics.underWay == 0 && statistics.reservedBytes == 0)
        #expect(statistics.failures.values.reduce(0, +) == 1)
    }

    @Test(arguments: [true, false]) func download_isCutWhenItsAgentDisconnects(isReading: Bool) throws {
        let harness = try DownloadHarness(sizeBytes: 8 << 20)
        let client = try harness.asked(receiveBufferBytes: 16 * 1024)
        try harness.feed(isReading ? 1000 : 6 * mebibyte)
        if isReading { #expect(client.receive().end == nil) }
        try harness.end(FetchEnding(.agentGone, message: "gone"))
        let (answer, end) = client.receiveAll()
        #expect(end == .failed(ECONNRESET))
        #expect(answer.count < 6 * mebibyte)
        try harness.eventually("the end") { $0.downloads.statistics.underWay == 0 }
        let statistics = try harness.statistics
        #expect(statistics.failures == [.agentGone: 1])
        #expect(statistics.completed == 0 && statistics.reservedBytes == 0 && statistics.spooledBytes == 0)
        #expect(try harness.dropped == [])
    }

    @Test func download_isCutByAGapOrAnOverlap() throws {
        for wrong in [999..<1999, 1001..<2000] {
            let harness = try DownloadHarness(sizeBytes: 2000)
            let client = try harness.asked()
            try harness.chunk(0..<1000)
            #expect(client.receive().end == nil)
            try harness.chunk(wrong)
            #expect(client.receiveAll().end == .failed(ECONNRESET))
            #expect(try harness.statistics.failures == [.outOfOrder: 1])
            #expect(try harness.dropped == [1])
            // Chunks that still come belong to no download.
            try harness.chunk(1000..<2000)
            try harness.end()
            #expect(try harness.statistics.completed == 0)
        }
    }

    @Test func download_isRefusedWhenTheFirstOffsetIsNotZero() throws {
        let harness = try DownloadHarness()
        let answer = try harness.refusal { harness in
            try harness.eventually("asked") { $0.line.started.count == 1 }
            try harness.chunk(5..<10)
        }
        #expect(answer.hasPrefix("HTTP/1.1 502 "))
        #expect(try harness.dropped == [1])
    }

    @Test(arguments: [0, 1000, 6 << 20]) func download_isCancelledAtIngestWhenTheClientLeaves(sentBytes: Int) throws {
        let harness = try DownloadHarness(sizeBytes: 8 << 20)
        let client = try harness.asked(receiveBufferBytes: 16 * 1024)
        try harness.feed(sentBytes)
        client.leave()
        // A socket that is closed is found when something is sent to it.
        if sentBytes > 0 { try harness.chunk(sentBytes..<sentBytes + 1000) }
        try harness.eventually("the drop") { $0.line.dropped == [1] }
        let statistics = try harness.statistics
        #expect(statistics.clientsGone == 1 && statistics.failures.isEmpty && statistics.completed == 0)
        #expect(statistics.underWay == 0 && statistics.reservedBytes == 0 && statistics.spooledBytes == 0)
        try harness.chunk(sentBytes + 1000..<sentBytes + 2000)
        try harness.end()
        try harness.eventually("the disk is done") { $0.downloads.thread.waitingBytes == 0 }
    }

    @Test func download_endsWithItsLostWorker() throws {
        let harness = try DownloadHarness()
        let client = try harness.asked()
        try harness.chunk(0..<1000)
        #expect(client.receive().end == nil)
        try harness.run { $0.downloads.workerLost(0) }
        #expect(try harness.statistics.underWay == 1)
        try harness.run { $0.downloads.workerLost(1) }
        #expect(client.receiveAll().end == .failed(ECONNRESET))
        let answer = try harness.refusal { harness in
            try harness.eventually("asked") { $0.line.started.count == 2 }
            try harness.run { $0.downloads.workerLost(1) }
        }
        #expect(answer.hasPrefix("HTTP/1.1 502 "))
        #expect(try harness.dropped == [])
        #expect(try harness.statistics.failures == [.workerLost: 2])
    }

    @Test func download_thatIsCompleteOutlivesItsWorker() throws {
        let harness = try DownloadHarness()
        let client = try harness.asked(receiveBufferBytes: 16 * 1024)
        try harness.feed(6 * mebibyte)
        try harness.end()
        try harness.run { $0.downloads.workerLost(1) }
        try harness.run { $0.downloads.endAll() }
        let (answer, end) = client.receiveAll()
        #expect(end == .complete)
        #expect(parts(of: answer).body == patternBytes(0..<6 * mebibyte))
    }

    @Test func download_isAnErrorWhenTheCommandRingIsFull() throws {
        let harness = try DownloadHarness()
        try harness.run { $0.line.takesCommands = false }
        let answer = try harness.refusal()
        #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("Retry-After"))
        #expect(try harness.statistics.failures == [.workerBusy: 1])
    }

    @Test func download_isRefusedWhileDraining() throws {
        let harness = try DownloadHarness()
        let begun = try harness.asked()
        try harness.chunk(0..<1000)
        #expect(begun.receive().end == nil)
        let answer = try harness.refusal { harness in
            try harness.eventually("asked") { $0.line.started.count == 2 }
            try harness.run { $0.downloads.endAll() }
        }
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(try harness.refusal().hasPrefix("HTTP/1.1 503 "))
        #expect(try harness.dropped == [2])
        try harness.run { $0.server.closeAll() }
        #expect(begun.receiveAll().end == .failed(ECONNRESET))
        #expect(try harness.statistics.failures == [.draining: 3])
        #expect(try harness.statistics.clientsGone == 0)
    }
}

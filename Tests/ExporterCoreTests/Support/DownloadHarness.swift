// SPDX-License-Identifier: Apache-2.0
import Glibc
import HTTPServer
import Logging
import NIOCore
import NIOPosix
import Platform
import RingMessages
import Rings
import TestSupport

@testable import ExporterCore

/// Writes down what downloads ask of the ingest workers.
final class FakeLine: FetchLine {
    var started: [(command: FetchCommand, worker: Int)] = []
    var credits: [UInt64: [UInt64]] = [:]
    var dropped: [UInt64] = []
    var takesCommands = true

    func start(_ command: FetchCommand, worker: Int) -> UInt64? {
        guard takesCommands else { return nil }
        started.append((command, worker))
        return UInt64(started.count)
    }

    func credit(number: UInt64, takenBytes: UInt64, worker: Int) { credits[number, default: []].append(takenBytes) }
    func drop(number: UInt64, worker: Int) { dropped.append(number) }
}

/// Downloads behind a real HTTP server on a loop of its own; the test is the ingest worker.
final class DownloadHarness: Sendable {
    struct Parts {
        let server: HTTPServer
        let handler: Handler
        let downloads: Downloads
        let line: FakeLine
    }

    final class Handler: HTTPRequestHandler {
        var request: DownloadRequest
        var downloads: Downloads?

        init(request: DownloadRequest) { self.request = request }

        func handle(_ http: HTTPRequest, _ responder: HTTPResponder) { downloads?.begin(request, responder) }
    }

    let folder: String
    let port: UInt16
    private let listener: Int32
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let parts: NIOLoopBound<Parts>

    init(
        sizeBytes: Int64 = 0, spoolMaxBytes: UInt64 = 1 << 30, folder subfolder: String? = nil,
        maximumWaitingBytes: Int = SpoolThread.maximumWaitingBytes,
        open: @escaping @Sendable (String) throws(SystemError) -> UnlinkedFile = { (folder) throws(SystemError) in
            try UnlinkedFile(folder: folder)
        }
    ) throws {
        let made = temporaryFolder()
        folder = made
        (listener, port) = openListener()
        let loop = group.next()
        parts = try loop.submit {
            let line = FakeLine()
            let request = DownloadRequest(
                agent: AgentID(high: 1, low: 2), worker: 1, podName: "data-0", role: "ROLE_DATA", profileID: "p:1",
                type: "heap", filepath: "/tmp/p/heap.pprof", sizeBytes: sizeBytes)
            let handler = Handler(request: request)
            let downloads = try Downloads(
                loop: loop, line: line,
                space: SpoolSpace(folder: made + (subfolder ?? ""), maximumBytes: spoolMaxBytes, open: open),
                deliveries: DeliveryQueue(loop: loop),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                thread: try SpoolThread(loop: loop, maximumWaitingBytes: maximumWaitingBytes))
            handler.downloads = downloads
            let server = HTTPServer(
                configuration: HTTPServer.Configuration(), eventLoop: loop, handler: handler,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            return NIOLoopBound(
                Parts(server: server, handler: handler, downloads: downloads, line: line), eventLoop: loop)
        }.wait()
        let listener = listener
        try run { $0.server.start(listeningDescriptor: listener) }.wait()
    }

    deinit {
        try? run { parts in
            parts.server.stopAccepting()
            parts.server.closeAll()
            parts.downloads.thread.stop()
        }
        close(listener)
        rmdir(folder)
        group.shutdownGracefully { _ in }
    }

    @discardableResult
    func run<Value: Sendable>(_ body: @escaping @Sendable (Parts) throws -> Value) throws -> Value {
        try group.next().submit { [parts] in try body(parts.value) }.wait()
    }

    var statistics: DownloadStatistics { get throws { try run { Copied($0.downloads.statistics) }.value } }
    var dropped: [UInt64] { get throws { try run { $0.line.dropped } } }

    private struct Copied: @unchecked Sendable {
        let value: DownloadStatistics
        init(_ value: DownloadStatistics) { self.value = value }
    }

    struct NeverHappened: Error { let what: String }

    /// Waits until something holds; half a minute is what only a defect takes.
    func eventually(_ what: String, _ condition: @escaping @Sendable (Parts) throws -> Bool) throws {
        for _ in 0..<15_000 {
            if try run(condition) { return }
            usleep(2000)
        }
        throw NeverHappened(what: what)
    }

    /// A client whose request has come as far as ingest.
    func asked(_ number: Int = 1, receiveBufferBytes: Int32? = nil) throws -> DownloadClient {
        let client = DownloadClient(port: port, receiveBufferBytes: receiveBufferBytes)
        client.send("GET /p HTTP/1.1\r\nHost: t\r\n\r\n")
        try eventually("the agent is asked") { $0.line.started.count == number }
        return client
    }

    /// The answer to a request that is refused before it comes to ingest, or by `body`.
    func refusal(after body: (DownloadHarness) throws -> Void = { _ in }) throws -> String {
        let client = DownloadClient(port: port)
        client.send("GET /p HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        try body(self)
        return String(decoding: client.receiveAll().bytes, as: UTF8.self)
    }

    func chunk(_ range: Range<Int>, number: UInt64 = 1) throws {
        try run { parts in
            let bytes = patternBytes(range)
            parts.downloads.chunkArrived(number: number, offset: UInt64(range.lowerBound), bytes.span.bytes)
        }
    }

    /// Sends as ingest does: as long as no more than the window is on its way. Returns when all is sent.
    func feed(_ total: Int, number: UInt64 = 1, chunkBytes: () -> Int = { 1 << 20 }) throws {
        var sent = 0
        var patience = 30_000
        while sent < total {
            let soFar = UInt64(sent)
            let mayGoOn = try run { parts in
                soFar <= FetchCredit.windowBytes + (parts.line.credits[number]?.last ?? 0)
            }
            if mayGoOn {
                let end = min(total, sent + chunkBytes())
                try chunk(sent..<end, number: number)
                sent = end
            } else {
                patience -= 1
                guard patience > 0 else { throw NeverHappened(what: "credit after \(sent) bytes") }
                usleep(1000)
            }
        }
    }

    func end(_ ending: FetchEnding = FetchEnding(.complete), number: UInt64 = 1) throws {
        try run { $0.downloads.ended(number: number, ending) }
    }
}

func entries(of folder: String) -> [String] {
    guard let listing = opendir(folder) else { return [] }
    defer { closedir(listing) }
    var names: [String] = []
    while let entry = readdir(listing) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

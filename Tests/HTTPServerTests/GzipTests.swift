// SPDX-License-Identifier: Apache-2.0
import Foundation
import Gzip
import NIOCore
import TestSupport
import Testing

@testable import HTTPServer

/// zlib, through Python, unpacks what ISA-L has packed.
func unpackedByZlib(_ gzip: [UInt8]) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let packed = folder.appendingPathComponent("packed")
    let plain = folder.appendingPathComponent("plain")
    try Data(gzip).write(to: packed)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // One member and nothing behind it: `eof` and no rest.
    let program = """
        import sys, zlib
        unpacker = zlib.decompressobj(31)
        plain = unpacker.decompress(open(sys.argv[1], "rb").read())
        assert unpacker.eof and not unpacker.unused_data
        open(sys.argv[2], "wb").write(plain)
        """
    process.arguments = ["python3", "-c", program, packed.path, plain.path]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "not one whole gzip member")
    return [UInt8](try Data(contentsOf: plain))
}

struct GzipTests {
    static func metricsText(lineCount: Int) -> [UInt8] {
        var text = ""
        for line in 0..<lineCount {
            text +=
                "banyandb_total{group=\"sw_metric\",pod_name=\"data-\(line % 7)\",seg=\"\(line)\"} \(line * line)\n"
        }
        return Array(text.utf8)
    }

    @Test(arguments: [UInt64(1), 2, 3]) func gzip_restoresPiecesOfAnySize(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let noise = (0..<200_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        let plain = [UInt8](repeating: 7, count: 100_000) + noise + Self.metricsText(lineCount: 10_000)
        let stream = GzipStream()
        var packed = ByteBuffer()
        var start = 0
        while start < plain.count {
            let end = min(plain.count, start + Int.random(in: 0...70_000, using: &random))
            stream.write(ByteBuffer(bytes: plain[start..<end]).readableBytesSpan, into: &packed)
            start = end
        }
        stream.finish(into: &packed)
        stream.finish(into: &packed)
        #expect(try unpackedByZlib(Array(packed.readableBytesView)) == plain, "seed \(seed)")
    }

    @Test(arguments: [0, 1, 100, 65_536]) func gzip_restoresBodiesOfAnySize(byteCount: Int) throws {
        let plain = patternBytes(0..<byteCount)
        let packed = GzipStream.compress(ByteBuffer(bytes: plain))
        #expect(try unpackedByZlib(Array(packed.readableBytesView)) == plain)
    }

    @Test func gzip_reusesItsState() {
        let text = ByteBuffer(bytes: Self.metricsText(lineCount: 2000))
        let first = GzipStream.compress(text)
        // Half a stream is left behind in the pooled state.
        for _ in 0..<8 {
            let abandoned = GzipStream()
            var output = ByteBuffer()
            abandoned.write(ByteBuffer(bytes: patternBytes(0..<100_000)).readableBytesSpan, into: &output)
        }
        #expect(GzipStream.compress(text) == first)
        #expect(first.readableBytes < text.readableBytes / 8)
    }

    @Test(arguments: [
        ("gzip", true), ("GZIP", true), ("x-gzip", true), ("deflate, gzip;q=0.5", true), ("*", true),
        ("gzip;q=0", false), ("gzip;q=0.0", false), ("gzip ; q=0.001", true), ("*;q=0", false), ("", false),
        ("deflate", false), ("gzip;q=0, *", false), ("*;q=0, gzip", true), ("identity;q=1, gzip;q=0.5", false),
        ("identity;q=0.5, gzip", true), ("gzip;q=1.5", false), ("gzip;q=x", false), ("gzip;q=0.0001", false),
        ("gzipped", false), (" , gzip ,", true), ("gzip;q=1.000", true), ("gzip;level=1", false),
    ])
    func gzip_followsAcceptEncoding(value: String, isAccepted: Bool) {
        #expect(AcceptEncoding.allowsGzip(value) == isAccepted)
    }

    @Test func gzip_compressesStreamsForClientsThatAcceptIt() throws {
        let server = try EmbeddedServer()
        server.channel.pipeline.fireChannelRead(
            ByteBuffer(string: get("/stream?bytes=600000", "Accept-Encoding: gzip\r\nConnection: close\r\n")))
        let (head, body) = try split(server.outputBytes())
        #expect(head.contains("\r\nContent-Encoding: gzip\r\n"))
        #expect(head.contains("\r\nVary: Accept-Encoding\r\n"))
        #expect(try unpackedByZlib(dechunked(body)) == patternBytes(0..<600_000))
    }

    @Test func gzip_plainVariantHasVary() throws {
        let server = try EmbeddedServer()
        let answer = server.exchange(get("/stream?bytes=10", "Accept-Encoding: gzip;q=0\r\n"))
        #expect(!answer.contains("Content-Encoding"))
        #expect(answer.contains("\r\nVary: Accept-Encoding\r\n"))
    }

    @Test(arguments: [(1023, false), (1024, true), (262_144, true), (300_000, true)])
    func gzip_compressesReadyBytes(byteCount: Int, isCompressed: Bool) throws {
        let server = try EmbeddedServer()
        server.channel.pipeline.fireChannelRead(
            ByteBuffer(string: get("/bytes?bytes=\(byteCount)", "Accept-Encoding: gzip\r\n")))
        let (head, body) = try split(server.outputBytes())
        #expect(head.contains("Content-Encoding: gzip") == isCompressed)
        #expect(head.contains("chunked") == (byteCount > 262_144))
        let content = head.contains("chunked") ? try dechunked(body) : body
        #expect(try (isCompressed ? unpackedByZlib(content) : content) == patternBytes(0..<byteCount))
    }

    @Test func gzip_headHasTheFieldsOfTheCompressedAnswer() throws {
        let server = try EmbeddedServer()
        let full = server.exchange(get("/bytes?bytes=5000", "Accept-Encoding: gzip\r\n")).withoutDate
        let head = server.exchange(get("/bytes?bytes=5000", "Accept-Encoding: gzip\r\n", method: "HEAD")).withoutDate
        #expect(head.contains("Content-Encoding: gzip"))
        #expect(full.utf8.starts(with: head.utf8))
    }

    @Test func gzip_cutsTheStreamWhenItsSourceFails() throws {
        let server = try EmbeddedServer()
        server.channel.pipeline.fireChannelRead(
            ByteBuffer(string: get("/stream?bytes=900000&fail=500000", "Accept-Encoding: gzip\r\n")))
        let answer = server.output()
        #expect(!answer.hasSuffix("0\r\n\r\n"))
        #expect(!server.isOpen)
    }
}

/// Head and body of one answer.
func split(_ bytes: [UInt8]) throws -> (head: String, body: [UInt8]) {
    let end = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("\r\n\r\n".utf8)) })
    return (String(decoding: bytes[..<(end + 4)], as: UTF8.self), Array(bytes[(end + 4)...]))
}

/// The content of a chunked body, which must be whole and have nothing behind it.
func dechunked(_ bytes: [UInt8]) throws -> [UInt8] {
    var content: [UInt8] = []
    var rest = bytes[...]
    while true {
        let lineEnd = try #require(rest.firstIndex(of: 0x0D))
        let size = try #require(Int(String(decoding: rest[rest.startIndex..<lineEnd], as: UTF8.self), radix: 16))
        rest = rest[(lineEnd + 2)...]
        try #require(rest.count >= size + 2)
        content += rest.prefix(size)
        rest = rest.dropFirst(size)
        try #require(rest.starts(with: [0x0D, 0x0A]))
        rest = rest.dropFirst(2)
        if size == 0 { break }
    }
    try #require(rest.isEmpty)
    return content
}

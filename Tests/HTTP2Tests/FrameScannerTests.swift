// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TestSupport
import Testing

@testable import HTTP2

@Suite struct FrameScannerTests {
    private func frame(_ type: UInt8, _ payload: Int) -> [UInt8] {
        [UInt8(payload >> 16 & 255), UInt8(payload >> 8 & 255), UInt8(payload & 255), type, 0, 0, 0, 0, 1]
            + [UInt8](repeating: 0xff, count: payload)
    }

    @Test(arguments: [1, 2, 5, 9, 10, 300, 100_000]) func frameScanner_countsFramesSplitAnywhere(piece: Int) {
        let bytes = [UInt8](repeating: 7, count: 24) + [0, 1, 5, 0, 70_000, 0, 300].flatMap { frame(0xee, $0) }
        var scanner = FrameScanner(prefaceBytes: 24)
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + piece)
            scanner.scan(ByteBuffer(bytes: bytes[start..<end]).readableBytesSpan)
            start = end
        }
        #expect(scanner.frameCount == 7)
        scanner.scan(ByteBuffer(bytes: frame(0, 10).dropLast()).readableBytesSpan)
        #expect(scanner.frameCount == 7)
    }

    @Test func http2Session_countsEmptyFrames() throws {
        let pair = try SessionPair()
        let stream = try #require(pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents))
        pair.client.send(ByteBuffer(bytes: [1, 2, 3]), on: stream)
        try pair.exchange()
        let before = pair.server.counters.controlFrames
        // DATA with padding and nothing else, DATA with a byte besides, an unknown frame, one of an extension.
        var frames: [UInt8] = [0, 0, 4, 0, 8, 0, 0, 0, 1, 3, 0, 0, 0]
        frames += [0, 0, 3, 0, 8, 0, 0, 0, 1, 1, 42, 0]
        frames += frame(0xee, 8) + frame(0x0a, 0)
        try pair.server.receive(ByteBuffer(bytes: frames).readableBytesSpan)
        #expect(pair.server.counters.controlFrames - before == 3)
        #expect(pair.serverEvents.data[stream.id] == [1, 2, 3, 42])
    }

    @Test func http2Session_treatsEndlessContinuationsAsAFlood() throws {
        let pair = try SessionPair()
        try pair.exchange()
        var frames: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 0, 1]
        for _ in 0..<20 { frames += [0, 0, 0, 9, 0, 0, 0, 0, 1] }
        #expect(throws: HTTP2SessionError.flooded) {
            try pair.server.receive(ByteBuffer(bytes: frames).readableBytesSpan)
        }
    }
}

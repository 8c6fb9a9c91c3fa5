// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore
import Testing

@testable import ExporterService

@Suite struct ReportAnswersTests {
    @Test func bytesAreHeldAsLongAsTheBodyIs() throws {
        let answers = ReportAnswers(limitBytes: 100)
        var first = answers.hold([UInt8](repeating: 1, count: 60))
        #expect(first != nil && answers.heldBytes == 60)
        #expect(answers.hold([UInt8](repeating: 1, count: 41)) == nil)
        #expect(answers.refused == 1 && answers.heldBytes == 60)
        let second = answers.hold([UInt8](repeating: 1, count: 40))
        #expect(second != nil && answers.heldBytes == 100)
        first = nil
        #expect(answers.heldBytes == 40)
    }

    @Test func everyByteComesOnce() throws {
        let json = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        var body = try #require(ReportAnswers(limitBytes: 1 << 30).hold(json))
        var buffer = ByteBuffer()
        var progress = HTTPBodyProgress.more
        while progress == .more { progress = body.produce(into: &buffer, targetBytes: 300) }
        #expect(progress == .done)
        #expect(Array(buffer.readableBytesView) == json)
    }
}

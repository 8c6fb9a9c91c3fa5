// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import Platform
import Testing

@testable import Logs

@Suite struct LogLineTests {
    private func line(_ message: String, _ metadata: Logger.Metadata = [:]) -> LogLine {
        LogLine(
            wallNanoseconds: 1_769_861_100_123_999_999, level: .warning, component: "ingest-0", label: "grpc",
            message: message, metadata: metadata)
    }

    private func text(_ line: LogLine, json: Bool = false, priority: Bool = false) -> String {
        String(decoding: line.bytes(isJSON: json, hasPriority: priority), as: UTF8.self)
    }

    @Test func logLine_textFormatQuotesValues() {
        #expect(
            text(line("agent gone", ["pod": "data-0", "why": "no answer", "empty": ""]))
                == "2026-01-31T12:05:00.123Z warning ingest-0/grpc: agent gone empty=\"\" pod=data-0 why=\"no answer\"\n"
        )
    }

    @Test func logLine_journalFormatHasAPriority() {
        #expect(text(line("x"), priority: true).hasPrefix("<4>2026-"))
    }

    @Test func logLine_jsonFormatIsOneObject() throws {
        let hostile = "a\"b\\c\nd\u{1}é\u{85}"
        var entry = line(hostile, ["ke\"y": "va\nlue"])
        entry.lostLines = 3
        entry.error = "boom"
        let object = try JSONDecoder().decode([String: String].self, from: Data(text(entry, json: true).utf8))
        #expect(
            object == [
                "time": "2026-01-31T12:05:00.123Z", "level": "warning", "module": "fodc-proxy", "component": "ingest-0",
                "part": "grpc",
                "message": hostile, "ke\"y": "va\nlue", "error": "boom", "lost_log_lines": "3",
            ])
    }

    @Test func logLine_keepsHostileTextOnOneLine() {
        let shown = text(line("one\ntwo\r\u{1B}[31m\u{7F}", ["key": "a\"b\nc"]))
        #expect(shown.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        #expect(shown.hasSuffix("one\\ntwo\\u000d\\u001b[31m\\u007f key=\"a\\\"b\\nc\"\n"))
    }

    @Test(arguments: ["\u{80}", "\u{9B}31m", "\u{85}", "\u{9F}"]) func logLine_escapesControlCharactersInFields(
        text hostile: String
    ) {
        let shown = text(line("x", ["pod": "a\(hostile)"]))
        #expect(shown.unicodeScalars.allSatisfy { !(0x7F...0x9F).contains($0.value) })
        #expect(shown.contains("pod=\"a\\u00"))
        #expect(text(line("x", ["pod": "\u{A0}é"])).hasSuffix("pod=\u{A0}é\n"))
    }

    @Test(arguments: ["x", "é", "\u{1}", "\"", "\u{1F600}"], [false, true])
    func logLine_truncatesLongLinesBetweenCharacters(piece: String, isJSON: Bool) throws {
        for count in [3900, 4000, 4096, 9000] {
            let bytes = line(
                String(repeating: piece, count: count), ["long": "\(String(repeating: piece, count: count))"]
            )
            .bytes(isJSON: isJSON, hasPriority: true)
            #expect(bytes.count <= StandardError.atomicBytes)
            #expect(bytes.last == UInt8(ascii: "\n"))
            #expect(String(validating: bytes, as: UTF8.self) != nil)
            if isJSON {
                _ = try JSONDecoder().decode([String: String].self, from: Data(bytes.dropFirst(3)))
            }
        }
    }
}

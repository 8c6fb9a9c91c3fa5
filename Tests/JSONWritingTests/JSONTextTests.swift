// SPDX-License-Identifier: Apache-2.0
import Calendar
import TestSupport
import Testing

@testable import JSONWriting

@Suite struct JSONTextTests {
    private func json(_ text: String, _ escapes: JSONEscapes) -> String {
        var bytes: [UInt8] = []
        JSONText.append(text, escapes: escapes, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// One character after the other, as RFC 8259 section 7 says it.
    private func reference(_ text: String, _ escapes: JSONEscapes) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": json += "\\\""
            case "\\": json += "\\\\"
            case "\n" where escapes.contains(.shortNewline): json += "\\n"
            case "\t" where escapes.contains(.shortTab): json += "\\t"
            case _
            where scalar.value < 0x20 || scalar.value == 0x7f
                || escapes.contains(.c1) && (0x80..<0xa0).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }

    private static let styles: [JSONEscapes] = [.answers, .logs, .statusReports, []]

    @Test func jsonText_escapesEveryCharacterAtEveryOffset() {
        let characters = (0..<0x180).compactMap(Unicode.Scalar.init) + ["\u{7ff}", "\u{800}", "\u{ffff}", "\u{10ffff}"]
        for escapes in Self.styles {
            for character in characters {
                for place in 0..<17 {
                    let text = String(repeating: "a", count: place) + String(character) + "zzzzzzzzz"
                    #expect(json(text, escapes) == reference(text, escapes))
                }
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func jsonText_escapesRandomTextLikeSingleCharacters(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet: [Unicode.Scalar] = [
            "a", "\"", "\\", "\n", "\t", "\u{1f}", "\u{7f}", "\u{80}", "\u{9f}", "\u{a0}", "é", "😀",
        ]
        for _ in 0..<5_000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                let isPlain = Int.random(in: 0..<4, using: &random) > 0
                text.unicodeScalars.append(isPlain ? "x" : alphabet.randomElement(using: &random)!)
            }
            for escapes in Self.styles {
                #expect(json(text, escapes) == reference(text, escapes), "seed \(seed)")
            }
        }
    }

    @Test(
        arguments: [
            ([0x61, 0xff, 0x62], "\"a\u{fffd}b\""), ([0xc2], "\"\u{fffd}\""),
            ([0xed, 0xa0, 0x80, 0x0a], "\"\u{fffd}\u{fffd}\u{fffd}\\n\""),
            (Array("aaaaaaaaaaaaaaaaaaaaaaaa".utf8) + [0xc0, 0xaf], "\"aaaaaaaaaaaaaaaaaaaaaaaa\u{fffd}\u{fffd}\""),
            ([], "\"\""),
            (Array("aaaaaaaé".utf8), "\"aaaaaaaé\""),
        ] as [([UInt8], String)])
    func jsonText_replacesInvalidUTF8(bytes: [UInt8], expected: String) {
        var text: [UInt8] = []
        JSONText.append(bytes: bytes.span.bytes, to: &text)
        #expect(String(decoding: text, as: UTF8.self) == expected)
    }

    @Test func jsonText_writesTimes() {
        var text: [UInt8] = []
        JSONText.append(EpochTime(seconds: 1, nanoseconds: 500_000_000), fraction: .groupsOfThree, to: &text)
        #expect(String(decoding: text, as: UTF8.self) == "\"1970-01-01T00:00:01.500Z\"")
    }
}

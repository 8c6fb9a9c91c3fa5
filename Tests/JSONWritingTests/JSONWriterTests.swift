// SPDX-License-Identifier: Apache-2.0
import Calendar
import Testing

@testable import JSONWriting

@Suite struct JSONWriterTests {
    private func write(_ json: inout JSONWriter) {
        json.object { json in
            json.member("name", "a\"b")
            json.member("empty") { $0.object { _ in } }
            json.member("none") { $0.null() }
            json.member("list", [] as [String])
            json.member("texts", ["x", "\u{1}"])
            json.member("number", -4)
            json.member("isTrue", true)
            json.member("uptime") { $0.seconds(nanoseconds: 61_002_999_999) }
            json.member("at", EpochTime(seconds: 0, nanoseconds: 120))
            json.member("labels", ["z": "1", "a\n": "2"])
            json.member("nested") { json in
                json.array([[1, 2], []]) { json, row in json.array(row) { $0.number($1) } }
            }
            json.member("raw") { $0.raw(Array("[7]".utf8)) }
            json.member("lent") { json in json.raw { $0.append(contentsOf: "1e3".utf8) } }
        }
    }

    @Test func jsonWriter_compactLayoutHasNoWhiteSpace() {
        var json = JSONWriter()
        write(&json)
        let expected =
            #"{"name":"a\"b","empty":{},"none":null,"list":[],"texts":["x","\u0001"],"number":-4,"isTrue":true,"#
            + #""uptime":61.002,"at":"1970-01-01T00:00:00.00000012Z","labels":{"a\n":"2","z":"1"},"#
            + #""nested":[[1,2],[]],"raw":[7],"lent":1e3}"#
        #expect(json.text == expected)
    }

    @Test func jsonWriter_indentsOneLinePerMemberAndElement() {
        var json = JSONWriter(layout: .indented)
        json.object { json in
            json.member("a", 1)
            json.member("empty") { $0.object { _ in } }
            json.member("none", [] as [String])
            json.member("list") { json in
                json.array([1, 2]) { json, number in json.object { $0.member("n", number) } }
            }
        }
        #expect(
            json.text == """
                {
                  "a": 1,
                  "empty": {},
                  "none": [],
                  "list": [
                    {
                      "n": 1
                    },
                    {
                      "n": 2
                    }
                  ]
                }
                """)
    }

    @Test func jsonWriter_appendsToExistingText() {
        var json = JSONWriter(Array("<6>".utf8), escapes: .logs)
        json.object { $0.member(named: "\u{85}\t") { $0.string(bytes: ([0xff] as [UInt8]).span.bytes) } }
        #expect(json.text == "<6>{\"\\u0085\\t\":\"\u{fffd}\"}")
    }

    @Test func jsonWriter_writesAllDigitsOfNumbers() {
        var json = JSONWriter()
        json.array([.max, .min, 0] as [Int64]) { $0.number($1) }
        json.quotedNumber(UInt64.max)
        #expect(json.text == #"[9223372036854775807,-9223372036854775808,0]"18446744073709551615""#)
    }

    @Test func jsonWriter_writesSecondsWithThreeDecimals() {
        var json = JSONWriter()
        json.array([0, 999_999, 1_000_000, 1_999_999_999, .max] as [UInt64]) { $0.seconds(nanoseconds: $1) }
        #expect(json.text == "[0.000,0.000,0.001,1.999,18446744073.709]")
    }
}

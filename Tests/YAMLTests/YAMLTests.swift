// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import YAML

struct YAMLTests {
    private func parse(_ text: String) throws(YAMLError) -> YAMLField? {
        try YAMLDocument.parse(Array(text.utf8)).map { YAMLField(name: "", node: $0) }
    }

    private func reason(_ body: () throws(YAMLError) -> Void) -> String {
        do throws(YAMLError) {
            try body()
            return "no error"
        } catch {
            return error.description
        }
    }

    private func reason(of text: String) -> String {
        reason { () throws(YAMLError) in _ = try YAMLDocument.parse(Array(text.utf8)) }
    }

    @Test func yamlDocument_isReadWithItsLines() throws {
        let root = try #require(try parse("# a comment\na: 1\nb:\n  - x\n  - 'true'\nc:\n  d: |\n    two\n    lines\n"))
        let fields = try root.fields(["a", "b", "c", "e"])
        #expect(try fields["a"]?.integer(0...9) == 1)
        #expect(fields["a"]?.node.line == 2)
        let items = try #require(try fields["b"]?.list())
        #expect(try items.map { (item) throws(YAMLError) in try item.string() } == ["x", "true"])
        #expect(items[1].name == "b[1]" && items[1].node.line == 5)
        #expect(
            reason { () throws(YAMLError) in _ = try items[1].bool() }
                == "line 5: b[1]: must be true or false, without quotes")
        let inner = try #require(try fields["c"]?.fields(["d"])["d"])
        #expect(try inner.string() == "two\nlines\n")
        #expect(inner.name == "c.d")
        #expect(fields["e"] == nil)
    }

    @Test func yamlDocument_isNilWhenEmpty() throws {
        #expect(try parse("") == nil)
        #expect(try parse("# nothing\n\n") == nil)
    }

    @Test func yamlDocument_treatsNullAsAMissingKey() throws {
        let root = try #require(try parse("a:\nb: ~\nc: null\nd: ''\n"))
        let fields = try root.fields(["a", "b", "c", "d"])
        #expect(Set(fields.keys) == ["d"])
        #expect(try fields["d"]?.string() == "")
    }

    @Test func yamlDocument_namesAnUnknownKeyWithItsPlace() throws {
        let root = try #require(try parse("a:\n  wrong: 1\n"))
        let text = reason { () throws(YAMLError) in _ = try root.fields(["a"])["a"]?.fields(["right", "left"]) }
        #expect(text == "line 2: a.wrong: is not known here; there are right, left")
    }

    @Test func yamlDocument_namesAValueOfTheWrongKind() throws {
        let root = try #require(try parse("a: [1]\nb: text\nc: 12\nd: 99999999999999999999\n"))
        let fields = try root.fields(["a", "b", "c", "d"])
        #expect(reason { () throws(YAMLError) in _ = try fields["a"]?.string() } == "line 1: a: must be a text")
        #expect(reason { () throws(YAMLError) in _ = try fields["b"]?.list() } == "line 2: b: must be a list")
        #expect(
            reason { () throws(YAMLError) in _ = try fields["b"]?.entries() }
                == "line 2: b: must be a mapping (KEY: VALUE)")
        for name in ["b", "c", "d"] {
            let text = reason { () throws(YAMLError) in _ = try fields[name]?.integer(0...9) }
            #expect(text.contains("\(name): must be a whole number from 0 to 9"))
        }
    }

    @Test(arguments: [
        ("a: 1\na: 2\n", "line 2: a is there twice"), ("a: [1\n", "line 2: did not find expected ',' or ']'"),
        ("a: b: c\n", "mapping values are not allowed"), ("a: *b\n", "line 1: the anchor &b is not defined"),
        ("a: 1\n---\nb: 2\n", "a second document begins here"),
        ("a: !!binary aGk=\n", "the tag tag:yaml.org,2002:binary"),
        ("? [a]\n: b\n", "a key is no text"), ("a: \u{0}\n", "control characters are not allowed"),
        ("\ta: 1\n", "line 1:"),
    ])
    func yamlDocument_rejectsMalformedTextWithItsPlace(text: String, expected: String) {
        #expect(reason(of: text).contains(expected))
    }

    @Test func yamlDocument_rejectsInvalidUTF8() {
        #expect(throws: YAMLError.self) { try YAMLDocument.parse([0x61, 0x3A, 0x20, 0xFF]) }
    }

    @Test func yamlAliases_areCopies() throws {
        let root = try #require(try parse("a: &x {k: v}\nb: *x\n"))
        let fields = try root.fields(["a", "b"])
        #expect(try fields["b"]?.fields(["k"])["k"]?.string() == "v")
    }

    @Test func yamlAliases_areBounded() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<12 {
            let part = "*a\(level - 1)"
            text += "a\(level): &a\(level) [\(Array(repeating: part, count: 10).joined(separator: ", "))]\n"
        }
        #expect(reason(of: text).contains("more than 20000 values"))
    }

    @Test func yamlDocument_limitsDepth() {
        let text = String(repeating: "[", count: 17) + String(repeating: "]", count: 17)
        #expect(reason(of: text).contains("more than 16 levels"))
        #expect(reason(of: String(repeating: "[", count: 16) + String(repeating: "]", count: 16)) == "no error")
    }

    @Test func yamlAnchor_withinItselfIsRejected() {
        #expect(reason(of: "a: &x [*x]\n").contains("the anchor &x is not defined"))
    }
}

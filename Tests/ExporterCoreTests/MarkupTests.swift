// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import ExporterCore

@Suite struct MarkupTests {
    @Test(arguments: [
        ("plain ä 🙂", "plain ä 🙂"), ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;"),
        ("a\u{0}b\u{1b}\u{FFFE}", "a\u{FFFD}b\u{FFFD}\u{FFFD}"),
        ("a\tb\nc", "a\tb\nc"),
    ])
    func markup_escapesText(text: String, escaped: String) {
        var markup = Markup()
        markup.element("p", ["title": text], text)
        #expect(markup.source == "<p title=\"\(escaped)\">\(escaped)</p>")
    }

    @Test func markup_encodesValuesOfQueries() {
        #expect(Markup.percentEncoded("a-b_c.d~9") == "a-b_c.d~9")
        #expect(Markup.percentEncoded("a b&c=d/\"ä\n") == "a%20b%26c%3Dd%2F%22%C3%A4%0A")
    }

    @Test func sparkline_leavesGapsAndScalesToTheLargest() {
        let svg = Sparkline.svg([.nan, 1, 2, .nan, 4]).source
        #expect(svg.contains("<polyline points=\"56,13.0 57,9.0\"></polyline><polyline points=\"59,1.0\"></polyline>"))
        #expect(!Sparkline.svg([.nan, .nan]).source.contains("polyline"))
        #expect(Sparkline.svg([0, 0]).source.contains("58,17.0 59,17.0"))
    }

    @Test(arguments: [
        (0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172_800, "2 d"), (-5, "0 s"),
    ])
    func figures_showAges(seconds: Int64, text: String) { #expect(Figures.age(seconds: seconds) == text) }

    @Test func figures_showSizesAndCounts() {
        #expect(Figures.bytes(999) == "999 B" && Figures.bytes(1500) == "1.5 kB" && Figures.bytes(2.6e8) == "260 MB")
        #expect(Figures.bytes(1e18) == "1000000 TB" && Figures.bytes(.nan) == "–")
        #expect(Figures.count(999) == "999" && Figures.count(1_234_567) == "1\u{202F}234\u{202F}567")
        #expect(Figures.cores(0.345) == "0.35" && Figures.cores(1.05) == "1.05" && Figures.cores(12.34) == "12.3")
    }

    @Test func page_allowsNothingFromElsewhere() {
        let page = String(buffer: PageFrame(title: "A < B", tab: .fleet, scripts: ["x.js"]).html { $0.text("<i>") })
        #expect(page.contains("<title>A &lt; B · FODC proxy</title>") && page.contains("&lt;i&gt;"))
        #expect(page.contains("<a href=\"./\" aria-current=\"page\">Fleet</a>"))
        #expect(!page.contains("http") && !page.contains("=\"/"))
        #expect(PageFrame.policy.hasPrefix("default-src 'self'; style-src 'self' 'sha256-"))
        #expect(!SiteFiles.style.contains("<"))
    }

    @Test(arguments: [
        (nil, false), ("W/\"5-a\"", true), ("\"5-a\"", true), ("\"x\", W/\"5-a\" ", true), ("*", true),
        ("W/\"5-b\"", false),
        ("", false),
    ])
    func taggedAnswer_knowsItsTag(sent: String?, isCurrent: Bool) {
        #expect(TaggedAnswer.isCurrent("W/\"5-a\"", sent) == isCurrent)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import ExporterCore

@Suite struct HomePageTests {
    private let endpoints = [
        Endpoint(
            path: "/one", summary: "less < more & \"so\"", parameters: [.init(name: "p", meaning: "a > b")]
        ) { _, _ in },
        Endpoint(path: "/two/{name}", summary: "with a part that stands for something") { _, _ in },
        Endpoint(path: "/unlisted") { _, _ in },
    ]

    @Test func homePage_htmlEscapesTextAndLinksConcretePaths() {
        var markup = Markup()
        HomePage.append(endpoints, to: &markup)
        let page = markup.source
        #expect(page.contains("<a href=\"../one\">/one</a>"))
        #expect(page.contains("less &lt; more &amp; &quot;so&quot;"))
        #expect(page.contains("<dt>p</dt><dd>a &gt; b</dd>"))
        #expect(page.contains("/two/{name}") && !page.contains("href=\"../two"))
        #expect(!page.contains("unlisted"))
    }

    @Test func homePage_textNamesEveryEndpointAndParameter() {
        let text = HomePage.text(endpoints, version: "1.2")
        let lines = text.split(separator: "\n")
        #expect(lines.first == "FODC proxy 1.2")
        #expect(lines.contains { $0.hasPrefix("/one ") && $0.hasSuffix("less < more & \"so\"") })
        #expect(lines.contains { $0.hasPrefix("    p ") })
        #expect(text.hasSuffix("\n") && !text.contains("unlisted"))
    }

    @Test(arguments: [
        (nil, false), ("", false), ("*/*", false), ("text/*", false), ("text/plain", false),
        ("application/json", false), ("text/html", true), ("TEXT/HTML", true),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
        ("text/plain, text/html", true), ("text/plain, text/html;q=0.9", false), ("text/html;q=0", false),
        ("text/plain;q=0.2 , text/html ; q=0.3", true), ("text/html;q=", false), (",;,;q=1", false),
    ])
    func homePage_isHTMLForClientsThatAcceptIt(accept: String?, isPage: Bool) {
        #expect(HomePage.prefersHTML(accept: accept) == isPage)
    }
}

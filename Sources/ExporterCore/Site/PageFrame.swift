// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore
import Settings

/// The frame of every page: head, navigation, the beacon that tells how old the page is, and the scripts.
///
/// All addresses are relative to the folder `ui/`, so that pages also work where a gateway puts the proxy below a path of
/// its own.
struct PageFrame {
    /// A page that the navigation shows.
    enum Tab: String, CaseIterable {
        case fleet = "./"
        case topology
        case incidents
        case proxy
        case endpoints

        var title: String {
            switch self {
            case .fleet: "Fleet"
            case .topology: "Topology"
            case .incidents: "Incidents"
            case .proxy: "Proxy"
            case .endpoints: "Endpoints"
            }
        }
    }

    static let contentType = "text/html; charset=utf-8"
    /// Nothing is loaded from elsewhere, and of inline parts the style sheet alone is allowed.
    static let policy =
        "default-src 'self'; style-src 'self' '\(SiteFiles.styleHash)'; base-uri 'none'; form-action 'self'; "
        + "frame-ancestors 'self'; object-src 'none'"
    static let headers = [
        ("Content-Security-Policy", policy), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin"),
    ]

    var title: String
    /// The tab that the page belongs to; `nil`: none.
    var tab: Tab?
    /// Modules and scripts, in their order.
    var scripts: [String] = []
    /// The text where there is no JavaScript, on a page that needs it; `nil`: the page does not.
    var withoutScripts: String?

    /// The whole page.
    /// - Parameter content: appends what is in `main`, below the heading.
    func html(_ content: (inout Markup) -> Void) -> ByteBuffer {
        var page = Markup()
        page.raw("<!DOCTYPE html>\n")
        page.element("html", ["lang": "en"]) { page in
            page.element("head") { head(&$0) }
            page.element("body") { page in
                page.element("a", ["class": "skip", "href": "#main"], "Skip to the content")
                banner(&page)
                page.element("main", ["id": "main", "tabindex": "-1"]) { page in
                    page.element("h1", ["id": "title"], title)
                    if let withoutScripts { page.element("noscript") { $0.element("p", withoutScripts) } }
                    page.element("div", ["id": "notice", "class": "notice", "role": "alert", "hidden": ""])
                    content(&page)
                }
            }
        }
        page.raw("\n")
        return ByteBuffer(string: page.source)
    }

    func respond(_ request: HTTPRequest, _ responder: HTTPResponder, _ content: (inout Markup) -> Void) {
        TaggedAnswer.respond(
            to: request, responder, contentType: Self.contentType, headers: Self.headers, html(content))
    }

    private func head(_ head: inout Markup) {
        head.void("meta", ["charset": "utf-8"])
        head.void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        head.void("meta", ["name": "color-scheme", "content": "light dark"])
        head.element("title", "\(title) · FODC proxy")
        head.void("link", ["rel": "icon", "href": "icon.svg", "type": "image/svg+xml"])
        // The sheet has no "<" in it, and its bytes are those that the policy's hash is of.
        head.raw("<style>")
        head.styleSheet()
        head.raw("</style>")
        for script in scripts {
            if script == SiteAsset.chartScript {
                head.void("link", ["rel": "stylesheet", "href": SiteAsset.chartStyle])
                head.element("script", ["src": script, "defer": ""])
            } else {
                head.element("script", ["src": script, "type": "module"])
            }
        }
    }

    private func banner(_ page: inout Markup) {
        page.element("header", ["class": "banner"]) { page in
            page.element("a", ["class": "brand", "href": "./"]) { page in
                page.void("img", ["src": "icon.svg", "alt": "", "width": "22", "height": "22"])
                page.text("FODC proxy")
            }
            page.element("nav", ["aria-label": "Pages"]) { page in
                for one in Tab.allCases {
                    if one == tab {
                        page.element("a", ["href": one.rawValue, "aria-current": "page"], one.title)
                    } else {
                        page.element("a", ["href": one.rawValue], one.title)
                    }
                }
            }
            page.element("span", ["class": "version"], ProxyVersion.current)
            page.element("span", ["id": "beacon", "class": "beacon", "role": "status"], "as of loading")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Settings

/// `GET /`, which lists the endpoints of all features for programs and sends browsers to the pages; `/openapi.yaml`; and
/// of `/ui/` the pages that hold no data, with the files of all pages.
final class SiteFeature: Feature {
    private unowned let web: HTTPFrontend
    private lazy var assets = SiteAsset.all()

    init(_ context: FeatureContext) {
        web = context.web
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(path: "/") { [unowned self] in home($0, $1) },
            Endpoint(path: "/openapi.yaml", summary: "This interface as OpenAPI, for programs", handle: Self.openAPI),
            Endpoint(path: "/ui") { _, responder in Self.redirect(to: HomePage.pages, responder) },
            Endpoint(path: "/ui/endpoints") { [unowned self] request, responder in
                PageFrame(title: "Endpoints", tab: .endpoints).respond(request, responder) {
                    HomePage.append(web.endpoints, to: &$0)
                }
            },
            Endpoint(path: "/ui/{file}") { [unowned self] in file($0, $1) },
        ]
            + EmptyPage.all.map { page in
                Endpoint(path: "/ui/\(page.name)") { request, responder in
                    page.frame.respond(request, responder) { $0.element("div", ["id": "content"]) }
                }
            }
    }

    private func home(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if HomePage.prefersHTML(accept: request.header("accept")) {
            return Self.redirect(to: HomePage.pages, responder)
        }
        responder.respond(
            status: 200, contentType: HomePage.textType, headers: HomePage.fields,
            body: .text(HomePage.text(web.endpoints, version: ProxyVersion.current)))
    }

    private static func redirect(to address: String, _ responder: HTTPResponder) {
        responder.respond(
            status: 302, text: "the pages are at \(address)", headers: HomePage.fields + [("Location", address)])
    }

    private func file(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let name = request.pathSegments.last ?? ""
        guard let asset = assets[name] else {
            return responder.respond(status: 404, text: "no page or file \(name.quoted()) is at /ui/")
        }
        asset.respond(request, responder)
    }

    private static func openAPI(_ request: HTTPRequest, _ responder: HTTPResponder) {
        responder.respond(
            status: 200, contentType: OpenAPIDocument.contentType, body: .text(OpenAPIDocument.text),
            compression: .whenAccepted)
    }
}

/// A page that its scripts fill from the public endpoints.
struct EmptyPage {
    /// Below `/ui/`.
    var name: String
    var frame: PageFrame

    private static let needsScripts =
        "This page is drawn by JavaScript from the endpoints that the list of endpoints names; fleet, incidents and the list "
        + "work without."

    static let all = [
        EmptyPage(name: "topology", frame: frame("Topology", .topology, ["topology.js"])),
        EmptyPage(name: "node", frame: frame("Node", nil, [SiteAsset.chartScript, "node.js"])),
        EmptyPage(name: "incident", frame: frame("Incident", .incidents, [SiteAsset.chartScript, "incident.js"])),
        EmptyPage(name: "profile", frame: frame("Profile", nil, ["profile.js"])),
        EmptyPage(name: "proxy", frame: frame("Proxy", .proxy, ["proxy.js"])),
    ]

    private static func frame(_ title: String, _ tab: PageFrame.Tab?, _ scripts: [String]) -> PageFrame {
        PageFrame(title: title, tab: tab, scripts: scripts, withoutScripts: needsScripts)
    }
}

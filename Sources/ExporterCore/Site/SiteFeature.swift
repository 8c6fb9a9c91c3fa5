// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Settings

/// `GET /`, which lists the endpoints of all features, and `GET /openapi.yaml`.
final class SiteFeature: Feature {
    private unowned let web: HTTPFrontend

    init(_ context: FeatureContext) {
        web = context.web
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(path: "/") { [unowned self] in home($0, $1) },
            Endpoint(path: "/openapi.yaml", summary: "This interface as OpenAPI, for programs", handle: Self.openAPI),
        ]
    }

    private func home(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let isHTML = HomePage.prefersHTML(accept: request.header("accept"))
        let version = ProxyVersion.current
        responder.respond(
            status: 200, contentType: isHTML ? HomePage.htmlType : HomePage.textType, headers: HomePage.fields,
            body: .text(
                isHTML
                    ? HomePage.html(web.endpoints, version: version)
                    : HomePage.text(web.endpoints, version: version)))
    }

    private static func openAPI(_ request: HTTPRequest, _ responder: HTTPResponder) {
        responder.respond(
            status: 200, contentType: OpenAPIDocument.contentType, body: .text(OpenAPIDocument.text),
            compression: .whenAccepted)
    }
}

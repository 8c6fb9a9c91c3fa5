// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore
import Settings

/// What the exporter says of itself: `GET /` and `GET /openapi.yaml`.
enum SiteEndpoints {
    static func home(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let isHTML = HomePage.prefersHTML(accept: request.header("accept"))
        let version = ProxyVersion.current
        responder.respond(
            status: 200, contentType: isHTML ? HomePage.htmlType : HomePage.textType, headers: HomePage.fields,
            body: .text(
                isHTML
                    ? HomePage.html(EndpointDescription.all, version: version)
                    : HomePage.text(EndpointDescription.all, version: version)))
    }

    static func openAPI(_ request: HTTPRequest, _ responder: HTTPResponder) {
        responder.respond(
            status: 200, contentType: OpenAPIDocument.contentType, body: .text(OpenAPIDocument.text),
            compression: .whenAccepted)
    }
}

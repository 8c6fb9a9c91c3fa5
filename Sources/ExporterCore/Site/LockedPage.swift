// SPDX-License-Identifier: Apache-2.0
import HTTPAccess
import HTTPServer

/// A page for a browser whose credentials do not allow the page that it asked for. It names the missing scope, and shows
/// no data.
enum LockedPage {
    private static let folder = "/ui/"

    /// - Returns: false for a program, and for a path that is no page.
    static func respond(_ request: HTTPRequest, _ responder: HTTPResponder, _ refusal: AccessGate.Refusal) -> Bool {
        guard request.path == "/ui" || request.path.hasPrefix(folder),
            HomePage.prefersHTML(accept: request.header("accept"))
        else { return false }
        let page = PageFrame(title: "Locked").html { page in
            page.element("p", ["class": "locked"], "🔒 This page is locked: \(refusal.text).")
        }
        responder.respond(
            status: refusal.status, contentType: PageFrame.contentType,
            headers: PageFrame.headers + [("Cache-Control", "no-store"), ("Vary", "Accept")] + refusal.fields,
            body: .bytes(page))
        return true
    }
}

// SPDX-License-Identifier: Apache-2.0
import HTTPServer

/// Which path is answered by whom. Methods other than GET and HEAD never come here.
final class Router: HTTPRequestHandler {
    typealias Endpoint = (HTTPRequest, HTTPResponder) -> Void

    private let endpoints: [String: Endpoint]

    init(_ endpoints: [String: Endpoint]) {
        self.endpoints = endpoints
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        guard let endpoint = endpoints[request.path] else {
            let known = endpoints.keys.sorted().joined(separator: ", ")
            return responder.respond(
                status: 404, text: "nothing is at \(request.path.prefix(128).debugDescription); there are \(known)")
        }
        endpoint(request, responder)
    }

    /// The path as a metric's label: paths that are not ours are one, or anybody could make series.
    func label(of path: String?) -> String {
        guard let path else { return "none" }
        return endpoints[path] == nil ? "other" : path
    }
}

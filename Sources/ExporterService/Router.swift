// SPDX-License-Identifier: Apache-2.0
import HTTPServer

/// Which path is answered by whom. Methods other than GET and HEAD never come here.
final class Router: HTTPRequestHandler {
    typealias Endpoint = (HTTPRequest, HTTPResponder) -> Void

    private struct Route {
        /// As people read it, and as a metric's label.
        let path: String
        let segments: [String]
        let endpoint: Endpoint

        var hasParts: Bool { segments.contains { Router.isPart($0) } }

        func matches(_ path: [String]) -> Bool {
            path.count == segments.count
                && zip(path, segments).allSatisfy { given, own in Router.isPart(own) ? !given.isEmpty : given == own }
        }
    }

    private let exact: [String: Route]
    /// Those with parts in braces, which stand for anything.
    private let patterns: [Route]

    init(_ endpoints: [String: Endpoint]) {
        let routes = endpoints.map { path, endpoint in
            Route(
                path: path,
                segments: path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init),
                endpoint: endpoint)
        }
        exact = Dictionary(uniqueKeysWithValues: routes.filter { !$0.hasParts }.map { ($0.path, $0) })
        patterns = routes.filter(\.hasParts)
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        guard let route = exact[request.path] ?? patterns.first(where: { $0.matches(request.pathSegments) }) else {
            let known = (Array(exact.keys) + patterns.map(\.path)).sorted().joined(separator: ", ")
            return responder.respond(
                status: 404, text: "nothing is at \(request.path.prefix(128).debugDescription); there are \(known)")
        }
        route.endpoint(request, responder)
    }

    /// The path as a metric's label: paths that are not ours are one, and so are those that one pattern matches, or anybody
    /// could make series.
    func label(of path: String?) -> String {
        guard let path else { return "none" }
        if exact[path] != nil { return path }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        return patterns.first { $0.matches(segments) }?.path ?? "other"
    }

    private static func isPart(_ segment: String) -> Bool { segment.hasPrefix("{") }
}

// SPDX-License-Identifier: Apache-2.0
import HTTPServer

/// Finds the endpoint of a path.
struct Router {
    private struct Route {
        let segments: [String]
        let endpoint: Endpoint

        init(_ endpoint: Endpoint) {
            self.endpoint = endpoint
            segments = Router.segments(of: endpoint.path)
        }

        func matches(_ path: [String]) -> Bool {
            path.count == segments.count
                && zip(path, segments).allSatisfy { given, own in own.hasPrefix("{") ? !given.isEmpty : given == own }
        }
    }

    private let exact: [String: Endpoint]
    /// Endpoints with parts in braces.
    private let patterns: [Route]

    /// - Precondition: no two endpoints have one path.
    init(_ endpoints: [Endpoint]) {
        exact = Dictionary(uniqueKeysWithValues: endpoints.filter(\.isConcrete).map { ($0.path, $0) })
        patterns = endpoints.filter { !$0.isConcrete }.map(Route.init)
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if let endpoint = exact[request.path] ?? pattern(matching: request.pathSegments) {
            return endpoint.handle(request, responder)
        }
        let known = (Array(exact.keys) + patterns.map(\.endpoint.path)).sorted().joined(separator: ", ")
        responder.respond(
            status: 404, text: "nothing is at \(request.path.quoted()); there are \(known)")
    }

    /// The path as a metric's label: paths that are not ours are one, and so are those that one pattern matches, because
    /// anybody could make series otherwise.
    func label(of path: String?) -> String {
        guard let path else { return "none" }
        if exact[path] != nil { return path }
        return pattern(matching: Self.segments(of: path))?.path ?? "other"
    }

    private func pattern(matching segments: [String]) -> Endpoint? {
        patterns.first { $0.matches(segments) }?.endpoint
    }

    private static func segments(of path: String) -> [String] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    }
}

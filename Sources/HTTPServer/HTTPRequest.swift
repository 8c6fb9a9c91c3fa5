// SPDX-License-Identifier: Apache-2.0
import Platform

/// One parameter of a query, decoded: `%xx` and `+` are resolved.
public struct HTTPQueryParameter: Sendable, Equatable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A GET or HEAD request that has passed every check of form.
public struct HTTPRequest: Sendable {
    /// HEAD: answer as for GET, the server leaves the body out.
    public var isHead: Bool

    /// The path, percent-decoded; begins with "/". An encoded slash is a slash here: see `pathSegments`.
    public var path: String

    /// The parts between the slashes, each decoded by itself: `/a%2Fb/c` has the segments `a/b` and `c`.
    public var pathSegments: [String]

    /// The query's parameters in their order.
    public var query: [HTTPQueryParameter]

    public var fields: HTTPFields

    /// Whether `Accept-Encoding` allows gzip and does not prefer the plain form.
    public var acceptsGzip: Bool

    /// The client's address and port, for logs.
    public var peer: String

    /// The network that limits per client count the request for.
    public var source: NetworkSource

    public init(
        isHead: Bool = false, path: String, pathSegments: [String]? = nil, query: [HTTPQueryParameter] = [],
        fields: HTTPFields = HTTPFields(), peer: String = "", source: NetworkSource = .unknown
    ) {
        self.isHead = isHead
        self.path = path
        self.pathSegments =
            pathSegments ?? path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        self.query = query
        self.fields = fields
        self.acceptsGzip = fields.joined("accept-encoding").map(AcceptEncoding.allowsGzip) ?? false
        self.peer = peer
        self.source = source
    }

    /// The value of a header field whatever the case of its name; several lines are joined with ", ".
    public func header(_ name: String) -> String? {
        fields.joined(name.lowercased())
    }

    /// The value of a query parameter; nil when it is not there. Of a repeated name the first counts.
    public func parameter(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }

    /// All values of a query parameter that may be repeated.
    public func parameters(_ name: String) -> [String] {
        query.filter { $0.name == name }.map(\.value)
    }
}

// SPDX-License-Identifier: Apache-2.0

/// The target of a request, decoded: origin form (`/metrics?role=x`) or absolute form (`http://host/metrics`), see RFC
/// 9112 section 3.2. A path or parameter with a broken escape, a NUL or bytes that are not UTF-8 is an error, never
/// guessed at.
struct RequestTarget: Equatable {
    var path: String
    var pathSegments: [String]
    var query: [HTTPQueryParameter]

    init(_ target: String, limits: HTTPRequestLimits) throws(RequestRejection) {
        let originForm = try Self.originForm(of: target.utf8)
        let questionMark = originForm.firstIndex(of: UInt8(ascii: "?"))
        let rawPath = originForm[..<(questionMark ?? originForm.endIndex)]
        path = rawPath.isEmpty ? "/" : try Self.decode(rawPath, plusIsSpace: false, what: "the path")
        pathSegments = []
        for segment in rawPath.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            pathSegments.append(try Self.decode(segment, plusIsSpace: false, what: "the path"))
        }
        query = []
        if let questionMark {
            query = try Self.parseQuery(originForm[originForm.index(after: questionMark)...], limits: limits)
        }
    }

    /// Path and query; empty when an absolute form names only a host.
    private static func originForm(of target: String.UTF8View) throws(RequestRejection) -> ArraySlice<UInt8> {
        let bytes = Array(target)
        if bytes.first == UInt8(ascii: "/") { return bytes[...] }
        let lower = target.prefix(8).map { $0 | 0x20 }
        for scheme in ["http://", "https://"] where lower.starts(with: scheme.utf8.map { $0 | 0x20 }) {
            let afterScheme = bytes.dropFirst(scheme.utf8.count)
            let authorityEnd = afterScheme.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
            let authority = afterScheme[..<(authorityEnd ?? afterScheme.endIndex)]
            guard !authority.isEmpty else {
                throw .badRequest(.malformedTarget, "the target has no host after \(scheme)")
            }
            return afterScheme[authority.endIndex...]
        }
        throw .badRequest(.malformedTarget, "the target must begin with \"/\" or \"http://\"")
    }

    private static func parseQuery(
        _ bytes: ArraySlice<UInt8>, limits: HTTPRequestLimits
    ) throws(RequestRejection) -> [HTTPQueryParameter] {
        var parameters: [HTTPQueryParameter] = []
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            guard parameters.count < limits.queryParameterCount else {
                throw .badRequest(
                    .malformedTarget, "the query has more than \(limits.queryParameterCount) parameters")
            }
            let equals = pair.firstIndex(of: UInt8(ascii: "="))
            let name = try decode(pair[..<(equals ?? pair.endIndex)], plusIsSpace: true, what: "a parameter's name")
            let rawValue = equals.map { pair[pair.index(after: $0)...] } ?? []
            let value = try decode(rawValue, plusIsSpace: true, what: "the value of a query parameter")
            parameters.append(HTTPQueryParameter(name: name, value: value))
        }
        return parameters
    }

    private static func decode(
        _ bytes: ArraySlice<UInt8>, plusIsSpace: Bool, what: String
    ) throws(RequestRejection) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            var byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard bytes.endIndex - index > 2, let high = ASCII.hexValue(bytes[index + 1]),
                    let low = ASCII.hexValue(bytes[index + 2])
                else {
                    throw .badRequest(
                        .malformedTarget, "\(what) has a '%' that is not followed by two hexadecimal digits")
                }
                byte = high << 4 | low
                index += 2
            } else if byte == UInt8(ascii: "+"), plusIsSpace {
                byte = ASCII.space
            }
            guard byte != 0 else { throw .badRequest(.malformedTarget, "\(what) has a NUL (%00)") }
            decoded.append(byte)
            index += 1
        }
        guard let text = String(validating: decoded, as: UTF8.self) else {
            throw .badRequest(.malformedTarget, "\(what) is not UTF-8")
        }
        return text
    }
}

// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2

/// A call's request headers after they were found to be gRPC.
struct GRPCRequest {
    /// Cut off at ``maxPathBytes``.
    var path: String
    var timeoutNanoseconds: Int64?
    /// The fields for the service: neither HTTP's nor gRPC's own ones, which are not asked for.
    var metadata: HTTP2Headers
}

/// The outcome of reading the headers of a new stream.
enum GRPCRequestVerdict {
    case accepted(GRPCRequest)
    /// No gRPC: answered in the language of HTTP.
    case refusedHTTP(HTTP2Headers, GRPCCallRefusal)
    case refused(GRPCStatus, GRPCCallRefusal)
}

extension GRPCRequest {
    static func judge(_ headers: HTTP2Headers) -> GRPCRequestVerdict {
        guard headers[":method"] == "POST" else {
            return .refusedHTTP([":status": "405", "allow": "POST"], .wrongMethod)
        }
        guard isGRPC(headers["content-type"] ?? "") else {
            return .refusedHTTP([":status": "415"], .wrongContentType)
        }
        if let encoding = headers["grpc-encoding"], encoding != "identity" {
            return .refused(
                GRPCStatus(.unimplemented, "grpc-encoding \(encoding) is not supported"), .unsupportedEncoding)
        }
        let path = headers[":path"].map { String(decoding: $0.utf8.prefix(maxPathBytes), as: UTF8.self) } ?? ""
        var request = GRPCRequest(path: path, timeoutNanoseconds: nil, metadata: headers)
        if let text = headers["grpc-timeout"] {
            guard let timeout = GRPCTimeout.nanoseconds(text) else {
                return .refused(GRPCStatus(.internalError, "malformed grpc-timeout: \(text)"), .badTimeout)
            }
            request.timeoutNanoseconds = timeout
        }
        request.metadata.removeAll { field in
            field.name.hasPrefix(":") || field.name.hasPrefix("grpc-") || ignoredFields.contains(field.name)
        }
        return .accepted(request)
    }

    /// Real methods have some 50; a call keeps its path as long as it is open.
    static let maxPathBytes = 256

    private static let ignoredFields: Set<String> = ["content-type", "te", "user-agent", "accept-encoding"]

    /// `application/grpc` or `application/grpc+proto`, with or without parameters.
    private static func isGRPC(_ contentType: String) -> Bool {
        let type = contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
        return type == "application/grpc" || type == "application/grpc+proto"
    }
}

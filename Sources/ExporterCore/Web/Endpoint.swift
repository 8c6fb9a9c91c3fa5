// SPDX-License-Identifier: Apache-2.0
import HTTPServer

/// One path that the exporter serves. The router, the list at `/`, the answer to unknown paths and the labels of HTTP
/// metrics are made of these values; `docs/openapi.yaml` is held against them by a test.
///
/// Methods are GET and HEAD alone: the HTTP server refuses others before.
struct Endpoint {
    struct Parameter: Equatable {
        var name: String
        var meaning: String

        static let role = Parameter(name: "role", meaning: "only agents of this role, such as ROLE_DATA")
        static let podName = Parameter(name: "pod_name", meaning: "only the agent of this pod")
    }

    /// As in docs/openapi.yaml; a part in braces stands for any text.
    var path: String
    /// Shown at `/`; `nil`: the endpoint is not listed there.
    var summary: String?
    var parameters: [Parameter] = []
    /// Answered however many others wait: monitors and probes ask for it.
    var isReserved = false
    /// The answer to a request without credentials, where they are needed; `nil`: a refusal.
    var withoutCredentials: ((HTTPRequest, HTTPResponder) -> Void)?
    /// Called on the event loop. The answer may come later.
    var handle: (HTTPRequest, HTTPResponder) -> Void

    /// Whether the path can be asked for as it stands.
    var isConcrete: Bool { !path.utf8.contains(UInt8(ascii: "{")) }
}

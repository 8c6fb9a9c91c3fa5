// SPDX-License-Identifier: Apache-2.0
import Credentials

/// The class of a path, which decides whose requests for it are answered.
enum AccessArea: Equatable {
    /// Says only that the process answers: for everybody, always.
    case probe
    /// Says more to those who may know.
    case health
    /// For everybody who has said who he is.
    case anyCredentials
    case scope(AccessScope)
    /// For tokens that have all of these scopes.
    case scopes([AccessScope])

    /// - Parameter path: decoded. A path that is not named here is a report, so a new path is closed before it is opened.
    init(path: String) {
        switch path {
        case "/-/healthy", "/-/ready": self = .probe
        case "/health": self = .health
        case "/", "/openapi.yaml", "/ui": self = .anyCredentials
        // Pages with data in them; the others show what the endpoints allow.
        case "/ui/", "/ui/incidents": self = .scope(.read)
        case let path where path.hasPrefix("/ui/"): self = .anyCredentials
        case "/metrics", "/metrics-windows": self = .scope(.metrics)
        case "/diagnostics", "/pressure-profiles": self = .scope(.profiles)
        case let path where path.hasPrefix("/pressure-profiles/") || path.hasPrefix("/diagnostics/"):
            self = .scope(.profiles)
        // A bundle has crash records and profiles beside reports.
        case let path where path.hasPrefix("/incidents/") && path.hasSuffix("/bundle"):
            self = .scopes([.read, .profiles])
        default: self = .scope(.read)
        }
    }

    /// Scopes without which no token is let through.
    var neededScopes: [AccessScope] {
        switch self {
        case .scope(let scope): [scope]
        case .scopes(let scopes): scopes
        case .probe, .health, .anyCredentials: []
        }
    }
}

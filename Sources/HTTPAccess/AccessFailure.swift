// SPDX-License-Identifier: Apache-2.0

/// Why a request was not answered. The raw values are metric label values.
public enum AccessFailure: String, CaseIterable, Sendable {
    case noCredentials = "no_credentials"
    /// An `Authorization` field that is neither basic authentication nor a bearer token.
    case malformed
    case wrongPassword = "wrong_password"
    case unknownToken = "unknown_token"
    /// The token is known, and not for this path.
    case forbidden
    /// Wrong passwords came from the same address before: the next one is looked at after a while.
    case penalty
    /// More passwords wait to be checked than there is room for.
    case busy
    /// A connection from an address that `--http-allow-from` does not name.
    case address

    /// Those that the gate itself counts.
    static let ofRequests: [AccessFailure] = allCases.filter { $0 != .address }
}

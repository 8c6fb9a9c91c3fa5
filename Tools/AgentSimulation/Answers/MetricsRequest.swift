// SPDX-License-Identifier: Apache-2.0

/// The request of a proxy on a metrics stream.
enum MetricsRequest: Equatable, Sendable {
    case latest
    /// Seconds since 1970, both ends included; as they came, so `from` may be the later one.
    case window(from: Int64, through: Int64)
}

// SPDX-License-Identifier: Apache-2.0

/// Tells one command of an exporter from all others: the exporter's generation, and the command's number there.
struct CommandID: Hashable, Sendable {
    var generation: UInt64
    var number: UInt64
}

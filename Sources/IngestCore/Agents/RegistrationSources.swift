// SPDX-License-Identifier: Apache-2.0

/// Where the agents of this worker come from: how many there are on each connection and from each address. A state machine
/// without I/O.
struct RegistrationSources {
    struct Origin: Equatable {
        var connection: UInt64
        /// Hash of the address.
        var source: UInt64
        var isLoopback: Bool
    }

    struct Limits {
        /// 0: no limit.
        var perConnection: Int
        /// Over all workers; 0: no limit.
        var perSource: Int
        /// The same for the loopback address: a sidecar of a service mesh brings all agents from there.
        var perLoopback: Int

        func limit(of origin: Origin) -> Int { origin.isLoopback ? perLoopback : perSource }
    }

    enum Verdict: Equatable {
        case free
        case connectionIsFull
        case sourceIsFull
    }

    let limits: Limits
    private var byConnection: [UInt64: Int] = [:]
    private var bySource: [UInt64: Int] = [:]

    init(limits: Limits) {
        self.limits = limits
    }

    /// - Parameter elsewhere: agents of that address that are online at other workers.
    func verdict(_ origin: Origin, elsewhere: Int) -> Verdict {
        if limits.perConnection > 0, byConnection[origin.connection] ?? 0 >= limits.perConnection {
            return .connectionIsFull
        }
        let limit = limits.limit(of: origin)
        if limit > 0, (bySource[origin.source] ?? 0) + elsewhere >= limit { return .sourceIsFull }
        return .free
    }

    mutating func opened(_ origin: Origin) {
        byConnection[origin.connection, default: 0] += 1
        bySource[origin.source, default: 0] += 1
    }

    mutating func closed(_ origin: Origin) {
        Self.decrement(&byConnection, origin.connection)
        Self.decrement(&bySource, origin.source)
    }

    private static func decrement(_ counts: inout [UInt64: Int], _ key: UInt64) {
        guard let count = counts[key] else { return }
        counts[key] = count > 1 ? count - 1 : nil
    }
}

extension RegistrationSources.Limits {
    /// - Parameter perSource: `nil`: half of all, and no limit for the loopback address.
    init(perConnection: Int, perSource: Int?, maxAgents: Int) {
        self.init(
            perConnection: perConnection, perSource: perSource ?? (maxAgents + 1) / 2, perLoopback: perSource ?? 0)
    }
}

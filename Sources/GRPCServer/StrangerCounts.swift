// SPDX-License-Identifier: Apache-2.0
import Platform

/// Connections on which nobody known calls, by the address that they come from. An agent's is one of them from its accept
/// to its registration. A state machine without I/O.
struct StrangerCounts {
    private(set) var total = 0
    private var bySource: [NetworkSource: Int] = [:]
    /// The source that was changed last: with the limits kept until then, only it can have gone beyond its own.
    private var lastSource = NetworkSource.unknown

    func count(of source: NetworkSource) -> Int { bySource[source] ?? 0 }

    mutating func changed(_ source: NetworkSource, wasStranger: Bool, isStranger: Bool) {
        guard wasStranger != isStranger else { return }
        let change = isStranger ? 1 : -1
        total += change
        let count = count(of: source) + change
        bySource[source] = count > 0 ? count : nil
        lastSource = source
    }

    /// The source of which a connection has to go; nil while all limits are kept.
    func crowd(limitOfSource: Int, limit: Int) -> NetworkSource? {
        if count(of: lastSource) > limitOfSource { return lastSource }
        guard total > limit else { return nil }
        return bySource.max { $0.value < $1.value }?.key
    }
}

// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform

/// The few values of one sample that the pages show of every node.
struct NodeReading: Sendable, Equatable {
    /// Counters of a node's calls to another.
    struct Calls: Sendable, Equatable {
        var finished = 0.0
        var failed = 0.0
        var latencySeconds = 0.0
        var timedCalls = 0.0
    }

    /// Nodes that one node calls; beyond that number calls are left out, because the label is an agent's.
    static let maximumCalledNodes = 256

    private static let memory = Array("process_resident_memory_bytes".utf8)
    private static let cpu = Array("process_cpu_seconds_total".utf8)
    private static let finished = Array("banyandb_queue_pub_total_finished".utf8)
    private static let failed = Array("banyandb_queue_pub_total_err".utf8)
    private static let latencySum = Array("banyandb_queue_pub_total_latency_sum".utf8)
    private static let latencyCount = Array("banyandb_queue_pub_total_latency_count".utf8)
    private static let calledNode = Array("remote_node".utf8)

    /// Wall clock, since the epoch.
    var atNanoseconds: Int64
    /// Of all containers; `nil`: the sample does not have it.
    var memoryBytes: Double?
    /// Of all containers, ever used.
    var cpuSeconds: Double?
    /// By the called node, as the calling one names it.
    var calls: [String: Calls] = [:]
}

extension NodeReading {
    init(_ table: SeriesTable, _ sample: Sample) {
        atNanoseconds = sample.receivedAtNanoseconds
        memoryBytes = table.sum(named: Self.memory, in: sample)
        cpuSeconds = table.sum(named: Self.cpu, in: sample)
        add(Self.finished, \.finished, table, sample)
        add(Self.failed, \.failed, table, sample)
        add(Self.latencySum, \.latencySeconds, table, sample)
        add(Self.latencyCount, \.timedCalls, table, sample)
    }

    private mutating func add(
        _ name: [UInt8], _ member: WritableKeyPath<Calls, Double>, _ table: SeriesTable, _ sample: Sample
    ) {
        let sums = table.sums(named: name, by: Self.calledNode, atMost: Self.maximumCalledNodes, in: sample)
        for (node, value) in sums {
            calls[String(decoding: node, as: UTF8.self), default: Calls()][keyPath: member] = value
        }
    }
}

/// The difference of two readings of one node, in a second.
struct NodeRates: Sendable, Equatable {
    struct Calls: Sendable, Equatable {
        var perSecond: Double
        /// Of the calls, 0 to 1.
        var failedShare: Double
        /// Seconds, on average; `nil`: none was timed.
        var latencySeconds: Double?
    }

    /// Seconds of processor time in a second; `nil`: unknown, or a process began anew.
    var cpuCores: Double?
    var calls: [String: Calls] = [:]

    init(from earlier: NodeReading, to later: NodeReading) {
        let seconds = Double(later.atNanoseconds.subtractingClamped(earlier.atNanoseconds)) / 1e9
        guard seconds > 0 else { return }
        if let before = earlier.cpuSeconds, let after = later.cpuSeconds, after >= before {
            cpuCores = (after - before) / seconds
        }
        for (node, after) in later.calls {
            guard let before = earlier.calls[node] else { continue }
            let (finished, failed) = (after.finished - before.finished, after.failed - before.failed)
            guard finished >= 0, failed >= 0 else { continue }
            let timed = after.timedCalls - before.timedCalls
            let latency = timed > 0 ? max(0, after.latencySeconds - before.latencySeconds) / timed : nil
            calls[node] = Calls(
                perSecond: finished / seconds,
                failedShare: finished > 0 ? min(1, failed / finished) : failed > 0 ? 1 : 0,
                latencySeconds: latency)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Metrics
import Platform
import RingMessages
import Rings

/// This worker's counters, in the header of its ring.
final class IngestCounters {
    private let ring: RingWriter

    init(ring: RingWriter) {
        self.ring = ring
    }

    func add(_ counter: IngestCounter, _ n: UInt64 = 1) {
        ring.addCounter(counter.rawValue, n)
    }

    func add(_ counter: StreamCounter, of stream: AgentStream, _ n: UInt64 = 1) {
        ring.addCounter(counter.word(of: stream), n)
    }

    func set(_ counter: IngestCounter, _ value: Int) {
        ring.setCounter(counter.rawValue, UInt64(clamping: value))
    }

    /// Publishes the resource usage of this process.
    func set(_ usage: ProcessUsage) {
        for (index, word) in usage.words.enumerated() {
            ring.setCounter(IngestCounter.firstProcessWord + index, word)
        }
    }

    func add(_ summary: DecodeSummary) {
        add(.samplesReceived, UInt64(summary.samplesReceived))
        add(.samplesAccepted, UInt64(summary.samplesAccepted))
        for cause in DropCause.allCases {
            let count = summary.drops[cause]
            if count > 0 { ring.addCounter(IngestCounter.firstSampleDrop + cause.rawValue, UInt64(count)) }
        }
    }
}

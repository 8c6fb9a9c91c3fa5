// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings

/// Counters of the ingest workers, out of the headers of their data rings: sums over all workers.
struct IngestTotals {
    private let ingestEndpoints: IngestEndpoints

    init(_ ingestEndpoints: IngestEndpoints) {
        self.ingestEndpoints = ingestEndpoints
    }

    func sum(_ counter: IngestCounter) -> Double { sum(word: counter.rawValue) }

    /// - Parameter word: the word of a counter that is numbered by something else, such as a cause.
    func sum(word: Int) -> Double {
        Double(ingestEndpoints.followers.reduce(UInt64(0)) { $0 &+ ($1.reader?.counter(word) ?? 0) })
    }

    /// One sample for each value of a label.
    func byLabel(_ label: String, _ values: [(String, IngestCounter)]) -> [FamilyBuilder.Sample] {
        values.map { ([(label, $0.0)], sum($0.1)) }
    }

    /// One sample for each worker.
    func byWorker(_ counter: IngestCounter) -> [FamilyBuilder.Sample] {
        byWorker { Double($0.counter(counter.rawValue)) }
    }

    func byWorker(_ value: (RingReader) -> Double) -> [FamilyBuilder.Sample] {
        ingestEndpoints.followers.compactMap { follower in
            follower.reader.map { ([("worker", "ingest-\(follower.worker)")], value($0)) }
        }
    }
}

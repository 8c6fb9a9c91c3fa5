// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform
import RingMessages
import Rings
import Testing

@testable import IngestCore

/// Two exporters, each with a command ring of its own, and one flag that tells both whether the worker sleeps.
@Suite struct CommandReadingTests {
    private static let ringBytes = 1 << 20

    private struct Seen: Sendable {
        /// When the command was written: nobody rings for one who does not sleep.
        var wasSleeping: Bool
        /// Generations of the exporters whose collections were over when the worker's turn was.
        var ended: [UInt64]
    }

    @Test func ingestWorker_handlesACommandThatComesDuringTheSameTurn() throws {
        let worker = try WorkerOnLoop()
        guard case .ingest(let rings) = worker.launch.descriptors.rings else {
            preconditionFailure("it is one of ingest")
        }
        nonisolated(unsafe) let even = try RingWriter.format(
            descriptor: rings.commandA, kind: .command, index: 0, generation: 2, maximumRingBytes: Self.ringBytes)
        nonisolated(unsafe) let odd = try RingWriter.format(
            descriptor: rings.commandB, kind: .command, index: 0, generation: 3, maximumRingBytes: Self.ringBytes)
        let deadline = MonotonicClock.nowNanoseconds() + 60_000_000_000
        let command = CollectCommand(deadlineNanoseconds: deadline).payload
        let loop = worker.group.next()
        let seen = try loop.flatSubmit { () -> EventLoopFuture<Seen> in
            let promise = loop.makePromise(of: Seen.self)
            var isFirst = true
            let wake = worker.worker.core.ring.outbox.onWritten
            // The worker answers what it has read in the second ring: it is through with the first.
            worker.worker.core.ring.outbox.onWritten = {
                wake()
                guard isFirst else { return }
                isFirst = false
                do {
                    let wasSleeping = try worker.reader().isWriterSleeping
                    _ = try even.append(.collect, generation: 2, number: 1, command.span.bytes)
                    loop.execute {
                        promise.completeWith(
                            Result { Seen(wasSleeping: wasSleeping, ended: try Self.endedCollections(worker)) })
                    }
                } catch {
                    promise.fail(error)
                }
            }
            do {
                _ = try odd.append(.collect, generation: 3, number: 1, command.span.bytes)
            } catch {
                promise.fail(error)
            }
            return promise.futureResult
        }.wait()
        #expect(!seen.wasSleeping)
        #expect(seen.ended == [3, 2])
        try worker.stop()
    }

    private static func endedCollections(_ worker: WorkerOnLoop) throws -> [UInt64] {
        let reader = try worker.reader()
        var ended: [UInt64] = []
        var outcome = RingReader.Outcome.record
        while outcome == .record {
            outcome = reader.next { header, _ in
                if header.type == .roundDone { ended.append(header.generation) }
            }
        }
        return ended
    }
}

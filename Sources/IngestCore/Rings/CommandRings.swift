// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform
import RingMessages
import Rings
import WorkerLink
import WorkerRuntime

/// The exporters' command rings: reads what they ask, brings it to the features, and wakes exporters that have something to
/// read.
final class CommandRings {
    private let ring: DataRing
    private let control: WorkerTableReader
    private let loop: any EventLoop
    private let readers: [CommandReader]
    private let wakeups: [WakeupChannel]
    private var isWakeupDue = false
    /// The known commands, by the type of the record that brings them.
    private var commands: [RecordType: ExporterCommand] = [:]

    init(_ rings: WorkerDescriptors.Ingest, ring: DataRing, control: WorkerTableReader, loop: any EventLoop) {
        self.ring = ring
        self.control = control
        self.loop = loop
        readers = [
            CommandReader(descriptor: rings.commandA, parity: 0), CommandReader(descriptor: rings.commandB, parity: 1),
        ]
        wakeups = [WakeupChannel(descriptor: rings.wakeupA), WakeupChannel(descriptor: rings.wakeupB)]
        ring.writer.slowestReaderPosition = { [unowned self] in slowestReaderPosition() }
        ring.outbox.onWritten = { [unowned self] in wakeSoon() }
    }

    func add(_ feature: any IngestFeature) {
        commands.merge(feature.commands) { _, _ in preconditionFailure("a command belongs to one feature") }
    }

    /// Calls `onWake` whenever an exporter, or the supervisor, has something to send.
    func listen(_ onWake: @escaping () -> Void) -> EventLoopFuture<Void> {
        let open = wakeups.map { WakeupHandler.open($0.descriptor, on: loop, onWake: onWake) }
        return EventLoopFuture.andAllSucceed(open, on: loop)
    }

    // MARK: From exporters

    /// Carries out all that has come; a worker that drains refuses it.
    /// - Parameter gone: called with the generation of an exporter that has died, or that another has taken the place of.
    func read(isDraining: Bool, gone: (UInt64) -> Void) {
        ring.writer.setSleeping(false)
        repeat {
            for reader in readers {
                let generation = reader.poll(into: ring.writer, counters: ring.counters, isDead: isDead) {
                    run($0, $1, isDraining: isDraining)
                }
                if let generation { gone(generation) }
            }
            ring.writer.setSleeping(true)
            // The flag is for both: an exporter that has written meanwhile did not ring.
        } while !readers.allSatisfy(\.isWaiting)
    }

    /// - Returns: false for a record that is no command, or a damaged one.
    private func run(_ header: RecordHeader, _ payload: RawSpan, isDraining: Bool) -> Bool {
        let id = CommandID(generation: header.generation, number: header.number)
        guard let command = commands[header.type], let run = command.read(payload, id) else { return false }
        ring.counters.set(.lastCommand, Int(clamping: InFlightCommand.word(header.type, number: header.number)))
        if !isDraining {
            run()
        } else if let refusal = command.refusal {
            ring.outbox.reply(refusal.type, to: id, refusal.payload)
        }
        return true
    }

    // MARK: To exporters

    /// The exporter is told once a turn of the loop, whatever number of records the turn has written.
    private func wakeSoon() {
        guard !isWakeupDue else { return }
        isWakeupDue = true
        loop.assumeIsolated().execute { [self] in wake() }
    }

    private func wake() {
        isWakeupDue = false
        for reader in readers where reader.isPeerSleeping && isRunning(reader.peerGeneration) {
            wakeups[reader.parity].wake()
        }
    }

    private func isRunning(_ generation: UInt64) -> Bool {
        control.exporter(generation: generation).map { $0.state != .dead } ?? false
    }

    private func isDead(_ generation: UInt64) -> Bool {
        control.exporter(generation: generation)?.state == .dead
    }

    /// No exporter is overtaken while it lives, of which there are two during a reload; without one the ring goes round.
    private func slowestReaderPosition() -> UInt64? {
        let exporters = control.exporters
        var slowest: UInt64?
        for exporter in [exporters.previous, exporters.present] where exporter.state != .dead {
            let position = readers[Int(exporter.generation % 2)].peerPosition(generation: exporter.generation)
            if let position { slowest = min(slowest ?? position, position) }
        }
        return slowest
    }
}

// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Logging
import Platform
import WorkerLink

/// What exporters have computed themselves and must survive them, in the state lane.
final class ExporterState {
    /// Counters of a schema check of some 100,000 disagreements, several times: a ring carries forward.
    private static let maximumRingBytes = 64 << 20

    private let lane: LaneWriter
    private let logger: Logger
    /// What a predecessor has kept of the schema check.
    private(set) var schema: [UInt8]?
    /// What the event loop must not read, and its note of what it does read.
    let watch: RecordWatch
    /// The report thread's note.
    let asideNote: RecordNote

    /// - Parameter cause: of the last exporter's death.
    init(descriptor: Int32, generation: UInt64, cause: ControlWorker.Cause, logger: Logger) throws(LaneError) {
        self.logger = logger
        var notes: [RecordName] = []
        var schema: [UInt8]?
        var suspects = SuspectRecords()
        if let reader = try? LaneReader(descriptor: descriptor, kind: .state) {
            notes = RecordNote.Place.allCases.map { RecordName(word: reader.counter($0.rawValue)) }
            var isMore = true
            while isMore {
                let outcome = reader.next { header, payload in
                    switch header.type {
                    case .schemaVerdict: schema = payload.copiedBytes
                    case .suspects: suspects = SuspectRecords(payload: payload) ?? SuspectRecords()
                    default: break
                    }
                }
                isMore = outcome != .empty
            }
        }
        lane = try Self.openLane(descriptor, generation, logger)
        // Signals from outside and hangs say nothing of what was being read.
        if cause == .fault { Self.blame(notes, in: &suspects, logger) }
        let loopNote = RecordNote(.eventLoop, lane: lane)
        asideNote = RecordNote(.reportThread, lane: lane)
        watch = RecordWatch(poison: suspects.poison, note: loopNote)
        self.schema = schema
        loopNote.end()
        asideNote.end()
        if cause == .fault { save(.suspects, suspects.payload) }
    }

    private static func openLane(
        _ descriptor: Int32, _ generation: UInt64, _ logger: Logger
    ) throws(LaneError) -> LaneWriter {
        do {
            return try LaneWriter.takeOver(
                descriptor: descriptor, kind: .state, index: 0, generation: generation,
                maximumRingBytes: maximumRingBytes)
        } catch .unusable(let reason) {
            logger.error("the state lane cannot be used: begun anew", metadata: ["reason": "\(reason)"])
            return try LaneWriter.format(
                descriptor: descriptor, kind: .state, index: 0, generation: generation,
                maximumRingBytes: maximumRingBytes)
        }
    }

    private static func blame(_ notes: [RecordName], in suspects: inout SuspectRecords, _ logger: Logger) {
        for name in Set(notes) where name != .none {
            let before = suspects.poison
            suspects.blame(name)
            if suspects.poison.contains(name), !before.contains(name) {
                logger.error(
                    "a record has killed its reader again and is skipped from now on",
                    metadata: ["record": "\(name.text)"])
            } else {
                logger.warning("the exporter died while it read a record", metadata: ["record": "\(name.text)"])
            }
        }
    }

    func saveSchema(_ bytes: [UInt8]) { save(.schemaVerdict, bytes) }

    private func save(_ type: RecordType, _ payload: [UInt8]) {
        do {
            try lane.append(type, isCurrent: true, payload.span.bytes)
        } catch {
            logger.error(
                "what must survive the exporter cannot be kept",
                metadata: ["what": "\(type.name)", "reason": "\(error)"])
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform
import RingMessages
import Rings

/// State that exporters have computed themselves and that must survive them, in the state ring.
///
/// The ring has one writer, and during a reload two exporters live: the new one reads what the old one has kept, and keeps
/// its own in memory until the old one has let go of the ring (``release()``) or is gone; ``tick(nowNanoseconds:)`` looks.
final class ExporterState {
    /// Counters of a schema check of some 100,000 disagreements, several times: a ring needs room to compact.
    private static let maximumRingBytes = 64 << 20
    private static let retryNanoseconds: UInt64 = 1_000_000_000

    private let descriptor: Int32
    private let generation: UInt64
    private let logger: Logger
    private var ring: RingWriter?
    private var isReleased = false
    /// Records to be written when the ring is ours: of each type the newest.
    private var pending: [RecordType: [UInt8]] = [:]
    private var nextTryNanoseconds: UInt64 = 0
    /// A predecessor's stored state of the schema check.
    private(set) var schema: [UInt8]?
    private var suspects: SuspectRecords
    /// A predecessor has kept something newer of the schema check after this process had begun, and this one has nothing.
    var onNewerSchema: ([UInt8]) -> Void = { _ in }
    /// The records that the event loop must not read, and its marker of what it does read.
    let crashGuard: CrashGuard
    /// The markers of the threads that make reports.
    private let threadMarkers: [ExporterMarker: InFlightRecord]

    /// - Parameters:
    ///   - suspects: words of the names of records that the predecessor was reading when it died of a fault of its own.
    ///   - ingestWorkers: how many data rings there are; what was suspect in others went with them.
    init(
        descriptor: Int32, generation: UInt64, suspects: [UInt64], ingestWorkers: Int, logger: Logger
    ) throws(RingError) {
        self.descriptor = descriptor
        self.generation = generation
        self.logger = logger
        threadMarkers = Dictionary(
            uniqueKeysWithValues: ExporterMarker.allCases.filter { $0 != .eventLoop }.map { ($0, InFlightRecord($0)) })
        let kept = Kept(descriptor)
        schema = kept.schema
        var known = kept.suspects
        for found in known.attribute(words: suspects) {
            logger.log(
                level: found.isPoison ? .error : .warning, "\(found.text(reader: "exporter"))",
                metadata: ["record": "\(found.name.text)"])
        }
        known.forget { $0 >= ingestWorkers }
        self.suspects = known
        crashGuard = CrashGuard(poison: known.poison, marker: InFlightRecord(.eventLoop))
        if known != kept.suspects { pending[.suspects] = known.payload }
        try takeOver(nowNanoseconds: MonotonicClock.nowNanoseconds())
    }

    /// The ring's content, read without writing to it.
    private struct Kept {
        var schema: [UInt8]?
        var suspects = SuspectRecords()
        var isWrittenElsewhere = false

        init(_ descriptor: Int32) {
            guard let reader = try? RingReader(descriptor: descriptor, kind: .state) else { return }
            isWrittenElsewhere = reader.isWrittenElsewhere
            var schema: [UInt8]?
            var suspects = SuspectRecords()
            var isMore = true
            while isMore {
                let outcome = reader.next { header, payload in
                    switch header.type {
                    case .schemaVerdict: schema = payload.copiedBytes
                    case .suspects: suspects = SuspectRecords(payload: payload) ?? SuspectRecords()
                    default: break
                    }
                }
                switch outcome {
                case .empty: isMore = false
                // Its writer is gone, so waiting would not help.
                case .stalled: isMore = reader.skipDamage() != nil
                default: break
                }
            }
            self.schema = schema
            self.suspects = suspects
        }
    }

    /// The markers stand in the command ring to ingest 0, as long as there is one.
    func placeMarkers(in ring: RingWriter?) {
        crashGuard.marker.move(to: ring)
        for marker in threadMarkers.values { marker.move(to: ring) }
    }

    /// The record that the owner of that place is reading.
    func marker(_ place: ExporterMarker) -> InFlightRecord { threadMarkers[place] ?? crashGuard.marker }

    /// The ring of that worker is gone, or was begun anew.
    func forgetSuspects(worker: Int) {
        crashGuard.forget(worker: worker)
        let before = suspects
        suspects.forget { $0 == worker }
        if suspects != before { save(.suspects, suspects.payload) }
    }

    func saveSchema(_ bytes: [UInt8]) { save(.schemaVerdict, bytes) }

    func tick(nowNanoseconds now: UInt64) {
        ring?.repairHeader()
        guard ring == nil, !isReleased, now >= nextTryNanoseconds else { return }
        do throws(RingError) {
            try takeOver(nowNanoseconds: now)
        } catch {
            logger.error("cannot use the state ring", metadata: ["reason": "\(error)"])
        }
    }

    /// Leaves the ring to a successor. State that this process computes from now on is not kept.
    func release() {
        isReleased = true
        pending = [:]
        ring?.signOff()
        ring = nil
    }

    /// Throws when the ring can neither be used nor be begun anew.
    private func takeOver(nowNanoseconds now: UInt64) throws(RingError) {
        nextTryNanoseconds = now + Self.retryNanoseconds
        let kept = Kept(descriptor)
        guard !kept.isWrittenElsewhere else { return }
        ring = try Self.openRing(descriptor, generation, logger)
        if pending[.schemaVerdict] == nil, let newer = kept.schema, newer != schema {
            schema = newer
            onNewerSchema(newer)
        }
        let waiting = pending
        pending = [:]
        for (type, payload) in waiting { save(type, payload) }
    }

    private static func openRing(
        _ descriptor: Int32, _ generation: UInt64, _ logger: Logger
    ) throws(RingError) -> RingWriter {
        do {
            return try RingWriter.takeOver(
                descriptor: descriptor, kind: .state, index: 0, generation: generation,
                maximumRingBytes: maximumRingBytes)
        } catch .unusable(let reason) {
            logger.error("cannot use the state ring: formatting it again", metadata: ["reason": "\(reason)"])
            return try RingWriter.format(
                descriptor: descriptor, kind: .state, index: 0, generation: generation,
                maximumRingBytes: maximumRingBytes)
        }
    }

    private func save(_ type: RecordType, _ payload: [UInt8]) {
        guard !isReleased else { return }
        guard let ring else {
            pending[type] = payload
            return
        }
        do {
            try ring.append(type, isCurrent: true, payload.span.bytes)
        } catch {
            logger.error(
                "cannot write the state that must survive the exporter",
                metadata: ["what": "\(type.name)", "reason": "\(error)"])
        }
    }
}

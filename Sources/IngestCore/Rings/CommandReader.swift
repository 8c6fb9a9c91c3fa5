// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings

/// Reads what the exporter asks in one of this worker's two command rings, from the ring's head at the start on: what was
/// asked of a predecessor of this worker concerns no worker any more.
final class CommandReader {
    /// 0: the ring of exporters of even generation (A), 1: of odd (B).
    let parity: Int
    private let descriptor: Int32
    private var reader: RingReader?
    private var generation: UInt64 = 0
    private var departures = ExporterDepartures()
    /// Changes when the exporter begins the ring anew.
    private var formattedAt: Int64 = 0
    /// The ring cannot be read on, or not be opened.
    private var stall: ReadStall?
    private var saidToStall: Bool?
    /// `CLOCK_MONOTONIC`. For tests.
    var clock: () -> UInt64 = MonotonicClock.nowNanoseconds
    /// Where the exporter, and the supervisor that watches for workers that hang, believe that we are.
    private var publishedPosition: UInt64?

    init(descriptor: Int32, parity: Int) {
        self.descriptor = descriptor
        self.parity = parity
        open { $0.seekToHead() }
    }

    private func open(_ seek: (RingReader) -> Void) {
        // Of the two rings one is often never written: nothing is mapped for it at each look.
        guard reader == nil, RingReader.mayBeFormatted(descriptor) else { return }
        do {
            let opened = try RingReader(descriptor: descriptor, kind: .command)
            if let flaw = opened.headerFlaw { throw RingError.unusable(flaw) }
            // Commands that came while the ring could not be read are lost, because nothing tells which of them were for a predecessor.
            if stall == nil { seek(opened) } else { opened.seekToHead() }
            reader = opened
            generation = opened.generation
            formattedAt = opened.formattedAtNanoseconds
            stall = nil
        } catch RingError.notYet {
            return
        } catch {
            stall = stall ?? ReadStall(position: 0, reason: "\(error)", nowNanoseconds: clock())
        }
    }

    /// Hands over every command that has come. Commands of a generation that is dead, or no longer writes, are counted and
    /// dropped.
    /// - Parameters:
    ///   - isDead: says whether the process of that generation has ended.
    ///   - handle: says whether it could read the payload.
    /// - Returns: the generation of an exporter that is gone since the last call.
    func poll(
        into ring: RingWriter, counters: IngestCounters, isDead: (UInt64) -> Bool,
        _ handle: (RecordHeader, RawSpan) -> Bool
    ) -> UInt64? {
        let before = reader?.position
        if let reader, reader.formattedAtNanoseconds != formattedAt { self.reader = nil }
        let couldNotOpen = reader == nil && stall != nil
        // A ring that was not there when this worker began has been formatted since: all that is in it is for us.
        open { opened in
            opened.seekToTail()
            // Begun anew, the ring goes on where it was: nothing is carried out twice.
            if let before, before > opened.position, before <= opened.head { opened.seek(to: before) }
        }
        defer { publishStall(ring) }
        guard let reader else { return nil }
        if couldNotOpen { counters.add(.commandsDamaged) }
        let current = reader.generation
        let isGone = isDead(current)
        defer { generation = current }
        reading: while true {
            let outcome = reader.next { header, payload in
                guard header.generation == current, !isGone else { return counters.add(.commandsOfDeadGeneration) }
                if !handle(header, payload) { counters.add(.commandsDamaged) }
            }
            if case .stalled(let reason) = outcome {
                guard waitsNoLonger(reader, reason), reader.skipDamage() != nil else { break reading }
            }
            stall = nil
            switch outcome {
            case .record: continue
            case .empty: break reading
            // The exporter waits no longer for what it has asked.
            case .lapped, .damaged, .stalled: counters.add(.commandsDamaged)
            }
        }
        if reader.position != publishedPosition || generation != current {
            publishedPosition = reader.position
            ring.setReadPosition(parity, generation: current, position: reader.position)
        }
        return departures.next(writer: current, isDead: isGone)
    }

    /// - Returns: whether the exporter has had its time to put right what is wrong.
    private func waitsNoLonger(_ reader: RingReader, _ reason: String) -> Bool {
        let now = clock()
        if let stall, stall.position == reader.position { return stall.isOver(nowNanoseconds: now) }
        stall = ReadStall(position: reader.position, reason: reason, nowNanoseconds: now)
        return false
    }

    private func publishStall(_ ring: RingWriter) {
        let isStalled = stall != nil
        guard isStalled != saidToStall else { return }
        saidToStall = isStalled
        let counter: IngestCounter = parity == 0 ? .commandsStalledA : .commandsStalledB
        ring.setCounter(counter.rawValue, isStalled ? 1 : 0)
    }

    /// There is nothing to read now: nothing has come, or what has come cannot be read.
    var isWaiting: Bool { stall != nil || reader?.isAtHead ?? true }
    /// Whether the exporter on the other side has said that it sleeps.
    var isPeerSleeping: Bool { reader?.isWriterSleeping ?? false }
    var peerGeneration: UInt64 { reader?.generation ?? 0 }

    /// How far the exporter of `generation` has read our ring; `nil` before it has said so.
    func peerPosition(generation: UInt64) -> UInt64? {
        guard let said = reader?.peerReadPosition(0), said.generation == generation else { return nil }
        return said.position
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Rings

/// Where the reader of a stress run puts what it has found: counters of its ring.
enum StressFinding: Int, CaseIterable {
    case read
    case slept
    case late
    case missed
    case lost
    case wrong
}

/// The rule that both sides of a stress run know for a record: its content follows from its number.
enum StressRecord {
    static let data = RecordType(rawValue: 100)
    static let end = RecordType(rawValue: 101)
    static let largestWords = 4000

    static func word(_ sequence: UInt64) -> UInt64 { (sequence &+ 1) &* 0x9E37_79B9_7F4A_7C15 }
}

struct StressWriter {
    let ring: RingWriter
    let peer: RingReader
    let wakeup: WakeupChannel
    private(set) var sleeper: Sleeper
    private(set) var recordCount: UInt64 = 0
    private var state: UInt64
    /// How long after its time a run waits for the reader: longer than any pause of a busy machine.
    private static let timeoutNanoseconds: UInt64 = 60_000_000_000
    /// Records; more than the ring takes, so that the writer has to wait.
    private static let longBurst = 1500

    init(ring: RingWriter, peer: RingReader, wakeup: WakeupChannel, seed: UInt64) {
        (self.ring, self.peer, self.wakeup, state) = (ring, peer, wakeup, seed | 1)
        sleeper = Sleeper(ring: ring, wakeup: wakeup)
        ring.slowestReaderPosition = { peer.peerReadPosition(0).position }
    }

    /// Bursts with pauses between them, so that the reader falls asleep again and again; `isReaderAlive` is asked when
    /// there is no room, and a reader that stands still makes none.
    mutating func run(seconds: Double, while isReaderAlive: () -> Bool) throws {
        let end = MonotonicClock.nowNanoseconds() + UInt64(seconds * 1e9)
        let deadline = end + Self.timeoutNanoseconds
        func isReading() -> Bool { isReaderAlive() && MonotonicClock.nowNanoseconds() < deadline }
        while MonotonicClock.nowNanoseconds() < end, isReading() {
            // One burst in eight is longer than the ring.
            let count = below(8) == 0 ? Self.longBurst : below(12)
            try appendBurst(count, while: isReading)
            if below(3) > 0 { usleep(UInt32(below(600))) }
        }
        // A run in which one side has never slept shows nothing of its wakeups, and a busy machine can bring that about.
        while sleeper.sleeps == 0, isReading() { try appendBurst(Self.longBurst, while: isReading) }
        while peer.counter(StressFinding.slept.rawValue) == 0, isReading() {
            usleep(1000)
            try appendBurst(1, while: isReading)
        }
        try append(StressRecord.end, words: 0, while: isReading)
    }

    private mutating func appendBurst(_ count: Int, while isReaderAlive: () -> Bool) throws {
        for _ in 0..<count {
            try append(StressRecord.data, words: below(StressRecord.largestWords), while: isReaderAlive)
        }
    }

    private mutating func append(_ type: RecordType, words: Int, while isReaderAlive: () -> Bool) throws {
        let word = StressRecord.word(recordCount)
        while true {
            do {
                // Some records are compacted all the time as well.
                try ring.append(
                    type, subject: recordCount % 50, byteCount: words * 8, isCurrent: recordCount % 7 == 0
                ) { (output) throws(RingError) in
                    output.append(repeating: word, count: words, as: UInt64.self)
                }
                break
            } catch RingError.full {
                guard isReaderAlive() else { throw RingStressFailure("the reader is gone, or reads no more") }
                let ring = ring
                sleeper.sleep { ring.hasRoom(forPayloadBytes: words * 8) || !isReaderAlive() }
            }
        }
        recordCount += 1
        if peer.isWriterSleeping { wakeup.wake() }
    }

    /// A xorshift generator.
    private mutating func below(_ limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 33) % limit
    }
}

struct StressReader {
    let reader: RingReader
    let ring: RingWriter
    let wakeup: WakeupChannel
    private var sleeper: Sleeper
    private var expected: UInt64 = 0
    private var wrong: UInt64 = 0
    private var lost: UInt64 = 0
    private var isEnded = false

    init(reader: RingReader, ring: RingWriter, wakeup: WakeupChannel) {
        (self.reader, self.ring, self.wakeup) = (reader, ring, wakeup)
        sleeper = Sleeper(ring: ring, wakeup: wakeup)
    }

    var isWell: Bool { isEnded && wrong == 0 && lost == 0 && sleeper.missed == 0 }

    mutating func run() {
        let parent = getppid()
        while !isEnded {
            readToHead()
            publishFindings()
            guard !isEnded, getppid() == parent else { return }
            let reader = reader
            sleeper.sleep { !reader.isAtHead || getppid() != parent }
        }
    }

    private mutating func readToHead() {
        var sinceTold = 0
        while !isEnded {
            switch reader.next({ header, payload in check(header, payload) }) {
            case .record: sinceTold += 1
            case .empty: return publishPosition()
            case .lapped, .damaged: lost += 1
            case .stalled:
                lost += 1
                _ = reader.skipDamage()
            }
            // Not at every record, as the workers do, and in any case before sleeping.
            if sinceTold == 64 {
                publishPosition()
                sinceTold = 0
            }
        }
        publishPosition()
    }

    private func publishPosition() {
        ring.setReadPosition(0, generation: 1, position: reader.position)
        if reader.isWriterSleeping { wakeup.wake() }
    }

    private mutating func check(_ header: RecordHeader, _ payload: RawSpan) {
        let word = StressRecord.word(header.sequence)
        var isRight = header.byteCount == payload.byteCount && payload.byteCount % 8 == 0
        for offset in stride(from: 0, to: payload.byteCount - 7, by: 8) {
            isRight = isRight && payload.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self) == word
        }
        if !isRight { wrong += 1 }
        if header.isCompacted { return }
        if header.sequence != expected { lost += 1 }
        expected = header.sequence + 1
        if header.type == StressRecord.end { isEnded = true }
    }

    private func publishFindings() {
        let findings: [(StressFinding, UInt64)] = [
            (.read, expected), (.slept, sleeper.sleeps), (.late, sleeper.late), (.missed, sleeper.missed),
            (.lost, lost), (.wrong, wrong),
        ]
        for (finding, value) in findings { ring.setCounter(finding.rawValue, value) }
    }
}

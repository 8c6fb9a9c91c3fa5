// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Platform

/// Where the reader of a stress run puts what it has found: counters of its lane.
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
    let lane: LaneWriter
    let peer: LaneReader
    let bell: Doorbell
    private(set) var sleeper: Sleeper
    private(set) var recordCount: UInt64 = 0
    private var state: UInt64
    /// How long after its time a run waits for the reader: longer than any pause of a busy machine.
    private static let patienceNanoseconds: UInt64 = 60_000_000_000

    init(lane: LaneWriter, peer: LaneReader, bell: Doorbell, seed: UInt64) {
        (self.lane, self.peer, self.bell, state) = (lane, peer, bell, seed | 1)
        sleeper = Sleeper(lane: lane, bell: bell)
        lane.slowestReaderPosition = { peer.peerReadPosition(0).position }
    }

    /// Bursts with pauses between them, so that the reader falls asleep again and again; `isReaderAlive` is asked when
    /// there is no room, and a reader that stands still makes none.
    mutating func run(seconds: Double, while isReaderAlive: () -> Bool) throws {
        let end = MonotonicClock.nowNanoseconds() + UInt64(seconds * 1e9)
        let deadline = end + Self.patienceNanoseconds
        func isReading() -> Bool { isReaderAlive() && MonotonicClock.nowNanoseconds() < deadline }
        while MonotonicClock.nowNanoseconds() < end, isReading() {
            // One burst in eight is as long as the ring, so that the writer has to wait.
            let count = below(8) == 0 ? 1500 : below(12)
            for _ in 0..<count {
                try append(StressRecord.data, words: below(StressRecord.largestWords), while: isReading)
            }
            if below(3) > 0 { usleep(UInt32(below(600))) }
        }
        try append(StressRecord.end, words: 0, while: isReading)
    }

    private mutating func append(_ type: RecordType, words: Int, while isReaderAlive: () -> Bool) throws {
        let word = StressRecord.word(recordCount)
        while true {
            do {
                // Some records are compacted all the time as well.
                try lane.append(
                    type, subject: recordCount % 50, byteCount: words * 8, isCurrent: recordCount % 7 == 0
                ) { (output) throws(LaneError) in
                    output.append(repeating: word, count: words, as: UInt64.self)
                }
                break
            } catch LaneError.full {
                guard isReaderAlive() else { throw RingToolsFailure("the reader is gone, or reads no more") }
                let lane = lane
                sleeper.sleep { lane.hasRoom(forPayloadBytes: words * 8) || !isReaderAlive() }
            }
        }
        recordCount += 1
        if peer.isWriterSleeping { bell.ring() }
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
    let reader: LaneReader
    let lane: LaneWriter
    let bell: Doorbell
    private var sleeper: Sleeper
    private var expected: UInt64 = 0
    private var wrong: UInt64 = 0
    private var lost: UInt64 = 0
    private var isEnded = false

    init(reader: LaneReader, lane: LaneWriter, bell: Doorbell) {
        (self.reader, self.lane, self.bell) = (reader, lane, bell)
        sleeper = Sleeper(lane: lane, bell: bell)
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
            case .empty: return tellPosition()
            case .lapped, .damaged: lost += 1
            case .stalled:
                lost += 1
                _ = reader.skipDamage()
            }
            // Not at every record, as the workers do, and in any case before sleeping.
            if sinceTold == 64 {
                tellPosition()
                sinceTold = 0
            }
        }
        tellPosition()
    }

    private func tellPosition() {
        lane.setReadPosition(0, generation: 1, position: reader.position)
        if reader.isWriterSleeping { bell.ring() }
    }

    private mutating func check(_ header: RecordHeader, _ payload: RawSpan) {
        let word = StressRecord.word(header.sequence)
        var isRight = header.byteCount == payload.byteCount && payload.byteCount % 8 == 0
        for offset in stride(from: 0, to: payload.byteCount - 7, by: 8) {
            isRight = isRight && payload.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self) == word
        }
        if !isRight { wrong += 1 }
        if header.isCarried { return }
        if header.sequence != expected { lost += 1 }
        expected = header.sequence + 1
        if header.type == StressRecord.end { isEnded = true }
    }

    private func publishFindings() {
        let findings: [(StressFinding, UInt64)] = [
            (.read, expected), (.slept, sleeper.sleeps), (.late, sleeper.late), (.missed, sleeper.missed),
            (.lost, lost), (.wrong, wrong),
        ]
        for (finding, value) in findings { lane.setCounter(finding.rawValue, value) }
    }
}

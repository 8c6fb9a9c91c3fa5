// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings

/// Finds the current records of a ring, in whatever order they were written.
extension RecordIntake {
    /// Headers that are looked at before this process shows that it lives: a millisecond.
    private static let scannedAtOnce = 10_000
    /// A record can be compacted between the look at the slot and the look at the record: then again.
    private static let looks = 3

    /// Slots name the current records. Only a table that a sample still names while a newer one is there has to
    /// be searched for: its worker was lost between the two.
    func rebuild(from reader: RingReader) {
        let reading = Reading(isRebuild: true)
        var isTableMissing = false
        for agent in Array(agents.values) {
            for _ in 0..<Self.looks {
                guard let (slot, entry) = reader.entry(at: Int(agent.slot.index)), slot == agent.slot else { break }
                let isWhole = [entry.identityPosition, entry.seriesPosition, entry.samplePosition].allSatisfy {
                    let taken = takeNamed(at: $0, agent, reading, from: reader)
                    if taken == .lacksTable { isTableMissing = true }
                    return taken != .isGone
                }
                if isWhole { break }
            }
        }
        takeAnswers(reading, from: reader)
        if isTableMissing { takeOlderTables(reading, from: reader) }
    }

    /// Answers are named by nobody: their headers are looked for.
    func takeAnswers(_ reading: Reading, from reader: RingReader) {
        var next = reader.tail
        var isMore = true
        while isMore {
            isMore = !reader.scanHeaders(from: &next, atMost: Self.scannedAtOnce) { header, isForgotten in
                guard RecordType.answers.contains(header.type), header.isCurrent, !isForgotten,
                    let agent = agents[header.agent.index], agent.slot == header.agent
                else { return }
                agent.takeAnswer(header, reading) { reader.state(at: $0.position) == .current }
            }
            onRecord()
        }
    }

    /// Reads all again for tables and samples, up to where this process has been.
    func takeOlderTables(_ reading: Reading, from reader: RingReader) {
        let resumePosition = reader.position
        reader.seekToTail()
        reading: while reader.position < resumePosition {
            let outcome = reader.next { header, payload in
                if header.type == .series || header.type == .sample { take(header, payload, reading, from: reader) }
            }
            onRecord()
            switch outcome {
            case .record, .lapped, .damaged: continue
            case .empty: break reading
            // It was passed before.
            case .stalled: if reader.skipDamage() == nil { break reading }
            }
        }
        reader.seek(to: resumePosition)
    }
}

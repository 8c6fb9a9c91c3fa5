// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings
import Testing

@testable import IngestCore

@Suite struct AnswerCacheTests {
    private func key(_ slot: UInt32, _ type: RecordType, _ subject: UInt64 = 0) -> AnswerCache.Key {
        AnswerCache.Key(agent: SlotRef(index: slot, generation: 1), type: type, subject: subject)
    }

    private func item(_ bytes: Int, _ time: Int64, _ checksum: UInt32 = 0) -> AnswerCache.Item {
        AnswerCache.Item(bytes: bytes, time: time, checksum: checksum)
    }

    @Test func answerCache_replacesTheOlderAnswer() {
        var answerCache = AnswerCache(limitBytes: 100)
        #expect(answerCache.put(key(1, .topology), item(60, 1)) { _ in true } == .kept(evicted: []))
        #expect(answerCache.put(key(1, .topology), item(90, 2)) { _ in true } == .kept(evicted: []))
        #expect(answerCache.usedBytes == 90)
        answerCache.removeAll(of: SlotRef(index: 1, generation: 1))
        #expect(answerCache.usedBytes == 0)
    }

    @Test func answerCache_takesACrashRecordOnce() {
        var answerCache = AnswerCache(limitBytes: 100)
        #expect(answerCache.put(key(1, .crashRecord, 5), item(10, 1, 7)) { _ in true } == .kept(evicted: []))
        #expect(answerCache.put(key(1, .crashRecord, 5), item(10, 1, 7)) { _ in true } == .unchanged)
        #expect(answerCache.put(key(1, .crashRecord, 5), item(10, 1, 8)) { _ in true } == .kept(evicted: []))
        #expect(answerCache.hasRecord(.crashRecord, of: SlotRef(index: 1, generation: 1), byteCount: 10, checksum: 8))
        #expect(!answerCache.hasRecord(.crashRecord, of: SlotRef(index: 1, generation: 1), byteCount: 10, checksum: 7))
        #expect(!answerCache.hasRecord(.crashRecord, of: SlotRef(index: 1, generation: 2), byteCount: 10, checksum: 8))
    }

    @Test func answerCache_keepsTheNewestCrashRecordsOfAnAgent() {
        var answerCache = AnswerCache(limitBytes: 1 << 30)
        let count = UInt64(AnswerCache.crashRecordsPerAgent)
        for subject in 0..<count {
            #expect(
                answerCache.put(key(1, .crashRecord, subject), item(1, Int64(subject))) { _ in true }
                    == .kept(evicted: []))
        }
        // Another agent's do not count.
        #expect(answerCache.put(key(2, .crashRecord, 1), item(1, 0)) { _ in true } == .kept(evicted: []))
        #expect(
            answerCache.put(key(1, .crashRecord, 1000), item(1, 1000)) { _ in true }
                == .kept(evicted: [key(1, .crashRecord, 0)]))
        // One that is older than all that are there finds no place.
        let older = answerCache.put(key(1, .crashRecord, 2000), item(1, -1)) { _ in true }
        #expect(older == .refused(evicted: [key(1, .crashRecord, 2000)]))
        #expect(answerCache.usedBytes == Int(count) + 1)
    }

    @Test func answerCache_boundsCrashRecordsOfAnAgentInBytes() {
        var answerCache = AnswerCache(limitBytes: 1 << 30)
        let half = AnswerCache.crashBytesPerAgent / 2
        _ = answerCache.put(key(1, .crashRecord, 1), item(half, 1)) { _ in true }
        _ = answerCache.put(key(1, .crashRecord, 2), item(half, 2)) { _ in true }
        #expect(
            answerCache.put(key(1, .crashRecord, 3), item(1, 3)) { _ in true }
                == .kept(evicted: [key(1, .crashRecord, 1)]))
        let tooLarge = answerCache.put(key(1, .crashRecord, 4), item(2 * half + 1, 4)) { _ in true }
        #expect(tooLarge == .refused(evicted: []))
    }

    /// Architecture, "Limits of what is current".
    @Test func answerCache_evictsInTheDocumentedOrder() {
        var answerCache = AnswerCache(limitBytes: 100)
        _ = answerCache.put(key(1, .lifecycle), item(30, 1)) { _ in true }
        _ = answerCache.put(key(2, .lifecycle), item(30, 2)) { _ in true }
        _ = answerCache.put(key(1, .crashRecord, 9), item(10, 3)) { _ in true }
        _ = answerCache.put(key(1, .crashRecord, 8), item(10, 4)) { _ in true }
        _ = answerCache.put(key(3, .topology), item(20, 5)) { _ in true }
        let isConnected: (SlotRef) -> Bool = { $0.index != 3 }
        #expect(
            answerCache.put(key(4, .topology), item(10, 6), isConnected: isConnected)
                == .kept(evicted: [key(1, .crashRecord, 9)]))
        #expect(
            answerCache.put(key(5, .topology), item(15, 7), isConnected: isConnected)
                == .kept(evicted: [key(1, .crashRecord, 8), key(3, .topology)]))
        #expect(
            answerCache.put(key(6, .topology), item(40, 8), isConnected: isConnected)
                == .kept(evicted: [key(1, .lifecycle)]))
        // Topology of those who are there makes room for nobody.
        let refused = answerCache.put(key(7, .topology), item(60, 9), isConnected: isConnected)
        #expect(refused == .refused(evicted: [key(2, .lifecycle)]))
        #expect(answerCache.usedBytes == 65)
        #expect(answerCache.put(key(8, .topology), item(101, 9), isConnected: isConnected) == .refused(evicted: []))
    }

    @Test func answerCache_evictsInBatches() {
        var answerCache = AnswerCache(limitBytes: 12_800)
        for agent in 0..<128 as Range<UInt32> {
            _ = answerCache.put(key(agent, .crashRecord, 1), item(100, Int64(agent))) { _ in true }
        }
        #expect(answerCache.usedBytes == 12_800)
        #expect(
            answerCache.put(key(200, .crashRecord, 1), item(100, 200)) { _ in true }
                == .kept(evicted: [key(0, .crashRecord, 1), key(1, .crashRecord, 1)]))
        #expect(answerCache.put(key(201, .crashRecord, 1), item(100, 201)) { _ in true } == .kept(evicted: []))
    }
}

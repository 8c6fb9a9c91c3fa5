// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Testing

@testable import IngestCore

@Suite struct RequestQueueTests {
    @Test func requestQueue_assignsAnswersToTheOldestRequest() {
        var queue = RequestQueue()
        #expect(queue.answered() == nil)
        queue.sent(.window, atNanoseconds: 1)
        queue.sent(.latest, atNanoseconds: 2)
        #expect(queue.latestSentAtNanoseconds == 2)
        #expect(queue.answered()?.kind == .window)
        #expect(!queue.isWindowOutstanding)
        queue.sent(.window, atNanoseconds: 3)
        #expect(queue.answered()?.kind == .latest)
        #expect(queue.answered()?.sentAtNanoseconds == 3)
        #expect(queue.answered() == nil)
        #expect(queue.isEmpty)
    }
}

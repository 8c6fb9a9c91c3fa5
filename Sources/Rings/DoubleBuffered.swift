// SPDX-License-Identifier: Apache-2.0
import CPlatform

/// Several words that change together: a counter, and two copies of which it selects one (even: the first).
///
/// The writer fills the copy that is not selected, then adds one to the counter. Readers copy the selected one and try again
/// only if the counter has moved meanwhile. Nobody waits for anybody, and a writer that dies in between leaves the
/// selected copy whole.
struct DoubleBuffered<let words: Int>: Sendable {
    /// Of the counter, from the start of the region that this stands in.
    let counter: Int

    init(offset: Int) {
        counter = offset
    }

    var wordCount: Int { words }
    var end: Int { counter + (1 + 2 * words) * RingLayout.wordBytes }

    /// How often a reader tries. A writer that changes the words each time we look is not one of ours, which change them at
    /// most every few hundred nanoseconds: a read takes some twenty.
    static var attempts: Int { 10_000 }

    private func copyOffset(_ count: UInt64) -> Int {
        counter + RingLayout.wordBytes + (count & 1 == 0 ? 0 : words * RingLayout.wordBytes)
    }

    /// Where a word stands in the copy that is selected while the counter is `count`.
    func address(of word: Int, count: UInt64, at region: Int) -> Int {
        precondition((0..<words).contains(word), "there is no such word")
        return region + copyOffset(count) + word * RingLayout.wordBytes
    }

    /// For the one writer. `step` is called in mid-change, for tests.
    func write(
        _ values: InlineArray<words, UInt64>, to memory: SharedWords, at region: Int = 0, step: (() -> Void)? = nil
    ) {
        let count = memory.loadRelaxed(region + counter)
        let copy = region + copyOffset(count &+ 1)
        // Nobody may see a word of this change before the counter of the last one: it would fill the copy that a reader
        // who still knows the last counter takes for selected.
        fodc_fence_release()
        for index in 0..<words {
            memory.storeRelaxed(copy + index * RingLayout.wordBytes, values[index])
            if index == words / 2 { step?() }
        }
        memory.storeRelease(region + counter, count &+ 1)
    }

    /// Writes the values again if the memory says something else. For the one writer.
    ///
    /// - Returns: whether it did.
    func restore(_ values: InlineArray<words, UInt64>, in memory: SharedWords, at region: Int = 0) -> Bool {
        if let present = read(from: memory, at: region), (0..<words).allSatisfy({ present[$0] == values[$0] }) {
            return false
        }
        write(values, to: memory, at: region)
        return true
    }

    /// The words as they were at one time, or nil when they never held still.
    func read(from memory: SharedWords, at region: Int = 0) -> InlineArray<words, UInt64>? {
        var values = InlineArray<words, UInt64>(repeating: 0)
        for _ in 0..<Self.attempts {
            let count = memory.loadAcquire(region + counter)
            let copy = region + copyOffset(count)
            for index in 0..<words {
                values[index] = memory.loadRelaxed(copy + index * RingLayout.wordBytes)
            }
            // The loads above come before the one below: see the writer's fence.
            fodc_fence_acquire()
            if memory.loadRelaxed(region + counter) == count { return values }
        }
        return nil
    }
}

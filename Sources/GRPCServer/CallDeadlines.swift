// SPDX-License-Identifier: Apache-2.0

/// The deadlines of calls (`grpc-timeout`), the earliest first: a binary heap in which each entry knows its place, so that
/// taking one out costs what putting it in did, however many there are. One timer serves all of them.
struct CallDeadlines {
    final class Entry {
        /// Monotonic.
        let atNanoseconds: UInt64
        fileprivate var place = -1
        private(set) weak var call: GRPCCall?

        init(atNanoseconds: UInt64, call: GRPCCall?) {
            self.atNanoseconds = atNanoseconds
            self.call = call
        }
    }

    private var entries: [Entry] = []

    var count: Int { entries.count }
    var earliestNanoseconds: UInt64? { entries.first?.atNanoseconds }

    mutating func insert(_ entry: Entry) {
        entry.place = entries.count
        entries.append(entry)
        moveUp(entry.place)
    }

    /// Without effect on an entry that is not in here.
    mutating func remove(_ entry: Entry) {
        let place = entry.place
        guard entries.indices.contains(place), entries[place] === entry else { return }
        entry.place = -1
        let last = entries.removeLast()
        guard last !== entry else { return }
        entries[place] = last
        last.place = place
        moveUp(place)
        moveDown(last.place)
    }

    /// Takes out the earliest entry when its time has come.
    mutating func popDue(nowNanoseconds: UInt64) -> Entry? {
        guard let first = entries.first, first.atNanoseconds <= nowNanoseconds else { return nil }
        remove(first)
        return first
    }

    private mutating func moveUp(_ start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard entries[place].atNanoseconds < entries[parent].atNanoseconds else { return }
            swap(place, parent)
            place = parent
        }
    }

    private mutating func moveDown(_ start: Int) {
        var place = start
        while true {
            var smallest = place
            for child in [2 * place + 1, 2 * place + 2] where child < entries.count {
                if entries[child].atNanoseconds < entries[smallest].atNanoseconds { smallest = child }
            }
            guard smallest != place else { return }
            swap(place, smallest)
            place = smallest
        }
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        entries.swapAt(left, right)
        entries[left].place = left
        entries[right].place = right
    }
}

// SPDX-License-Identifier: Apache-2.0
import RingMessages

/// Names the record that is being read, so that the supervisor can tell a successor over what this process has died, and leaves
/// out the records that have killed their readers. On the recorder's thread alone.
final class RecordGuard {
    private var poison: Set<RecordName>
    private let mark: (RecordName) -> Void
    private let onForgotten: (Int) -> Void
    private var current = RecordName.none
    private(set) var skippedRecords: UInt64 = 0

    /// - Parameters:
    ///   - mark: puts the name where the supervisor looks.
    ///   - onForgotten: the names of that worker's records name others from now on.
    init(
        poison: Set<RecordName> = [], mark: @escaping (RecordName) -> Void = { _ in },
        onForgotten: @escaping (Int) -> Void = { _ in }
    ) {
        self.poison = poison
        self.mark = mark
        self.onForgotten = onForgotten
    }

    /// - Parameter body: reads the record, and others meanwhile, under their own names.
    /// - Returns: `nil` when the record is not to be read.
    func reading<Value>(_ name: RecordName, _ body: () -> Value) -> Value? {
        guard !poison.contains(name) else {
            skippedRecords += 1
            return nil
        }
        let outer = current
        current = name
        mark(name)
        defer {
            current = outer
            mark(outer)
        }
        return body()
    }

    /// The ring of that worker is another one: numbers of its records name others from now on.
    func forget(worker: Int) {
        poison = poison.filter { $0.worker != worker }
        onForgotten(worker)
    }
}

// SPDX-License-Identifier: Apache-2.0
import RingMessages

/// Knows which records have killed their readers and are not to be read. On the event loop alone.
final class CrashGuard {
    let marker: InFlightRecord
    private var poison: Set<RecordName>
    private(set) var skippedRecords: UInt64 = 0
    /// A record is being read: until that is over no answer is made.
    private(set) var isReading = false

    init(poison: Set<RecordName>, marker: InFlightRecord) {
        self.poison = poison
        self.marker = marker
    }

    /// - Returns: false when the record is not to be read.
    func begin(_ name: RecordName) -> Bool {
        guard mayRead(name) else { return false }
        marker.begin(name)
        isReading = true
        return true
    }

    func end() {
        isReading = false
        marker.end()
    }

    /// The ring of that worker is gone, or another one: numbers of its records name others from now on.
    func forget(worker: Int) { poison = poison.filter { $0.worker != worker } }

    /// The same for a record that another thread is going to read.
    func mayRead(_ name: RecordName) -> Bool {
        guard !poison.isEmpty, poison.contains(name) else { return true }
        skippedRecords += 1
        return false
    }
}

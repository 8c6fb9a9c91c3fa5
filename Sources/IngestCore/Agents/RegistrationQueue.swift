// SPDX-License-Identifier: Apache-2.0
import DequeModule

/// Registrations that wait for their turn, connection by connection in rotation, so that a burst on one connection delays
/// only its own. How much is done in a turn of the event loop is bounded by number and by time.
///
/// A state machine without I/O; the caller measures what each registration took.
struct RegistrationQueue<Item> {
    /// In one turn of the event loop. Registering takes some 50 us, near `--max-agents` some hundred.
    static var maximumPerTurn: Int { 64 }
    /// The longest that a turn spends on them, but for a single one: other connections wait meanwhile.
    static var turnNanoseconds: UInt64 { 5_000_000 }

    private var lines: [UInt64: Deque<Item>] = [:]
    /// Connections with something in their line, the next one first.
    private var rotation: Deque<UInt64> = []
    private var doneInTurn = 0
    private var spentNanoseconds: UInt64 = 0
    private(set) var count = 0

    init() {}

    var isEmpty: Bool { count == 0 }

    /// Whether this turn has room for one more.
    var hasTurnLeft: Bool { doneInTurn < Self.maximumPerTurn && spentNanoseconds < Self.turnNanoseconds }

    mutating func append(_ item: Item, from connection: UInt64) {
        if lines[connection]?.isEmpty ?? true { rotation.append(connection) }
        lines[connection, default: []].append(item)
        count += 1
    }

    /// The next one, as long as this turn has room for it.
    mutating func next() -> Item? {
        guard hasTurnLeft, let connection = rotation.popFirst(), var line = lines.removeValue(forKey: connection),
            let item = line.popFirst()
        else { return nil }
        if !line.isEmpty {
            lines[connection] = line
            rotation.append(connection)
        }
        count -= 1
        doneInTurn += 1
        return item
    }

    /// The time that the item of ``next()`` has taken.
    mutating func spent(nanoseconds: UInt64) { spentNanoseconds += nanoseconds }

    mutating func beginTurn() {
        doneInTurn = 0
        spentNanoseconds = 0
    }

    mutating func removeAll() -> [Item] {
        let items = rotation.flatMap { lines[$0].map(Array.init) ?? [] }
        self = RegistrationQueue()
        return items
    }
}

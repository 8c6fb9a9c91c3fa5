// SPDX-License-Identifier: Apache-2.0
import Platform

/// The unfinished messages of one source.
final class AssemblySource {
    var bytes = 0
    /// Its connections that have unfinished messages.
    private(set) var holders: [AssemblyHolder] = []

    func add(_ holder: AssemblyHolder) {
        holder.source = self
        holder.place = holders.count
        holders.append(holder)
    }

    /// The last one takes its place.
    func remove(_ holder: AssemblyHolder) {
        holders.swapAt(holder.place, holders.count - 1)
        holders[holder.place].place = holder.place
        holders.removeLast()
        holder.source = nil
    }
}

/// The unfinished messages of one connection.
final class AssemblyHolder {
    let address: NetworkSource
    /// Whether the service knows none of those who call on it.
    var isStranger = true
    var bytes = 0
    var source: AssemblySource?
    /// Among those of its source.
    var place = 0
    private(set) var messages: [UnfinishedMessage] = []

    init(address: NetworkSource) { self.address = address }

    func forEachMessage(_ body: (UnfinishedMessage) -> Void) {
        for message in messages { body(message) }
    }

    func add(_ message: UnfinishedMessage) {
        message.place = messages.count
        messages.append(message)
    }

    /// The last one takes its place.
    func remove(_ message: UnfinishedMessage) {
        messages.swapAt(message.place, messages.count - 1)
        messages[message.place].place = message.place
        messages.removeLast()
    }

    func oldMessages(_ age: UInt64, _ now: UInt64) -> [UnfinishedMessage] {
        messages.filter { now.elapsed(since: $0.beganNanoseconds) >= age }
    }
}

/// One message that has come in part: a place in the budget's line, which is linked through the messages themselves.
final class UnfinishedMessage {
    weak var holder: (any UnfinishedMessageHolder)?
    let connection: AssemblyHolder
    var bytes = 0
    var withheldBytes = 0
    var isListed = false
    var isHeld = false
    var hasWastedTurn = false
    /// Stands among those from whose senders bytes are withheld.
    var isWaiting = false
    var beganNanoseconds: UInt64 = 0
    var newer: UnfinishedMessage?
    /// Both are in the line, which holds on to each by the one before it.
    unowned var older: UnfinishedMessage?
    /// Among those of its connection.
    var place = 0

    init(holder: any UnfinishedMessageHolder, connection: AssemblyHolder) {
        self.holder = holder
        self.connection = connection
    }
}

protocol UnfinishedMessageHolder: AnyObject {
    /// Allows the sender this much more.
    func credit(bytes: Int)
    /// Ends the call: the message takes too much room for too long.
    func giveUp()
}

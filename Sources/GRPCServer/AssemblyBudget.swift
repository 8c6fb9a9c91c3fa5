// SPDX-License-Identifier: Apache-2.0
/// Bounds the memory of half-received messages over all connections.
///
/// As long as they stay below the limit every stream is credited what it sends. At the limit only the oldest unfinished
/// message is, so that it completes and frees its bytes; what the others have sent is credited later, oldest first, as far as
/// there is room. Windows that were granted before may still fill up: at the hard limit, a quarter above, the connections
/// other than the oldest message's are not read. What is left are the other streams of that connection: at twice the limit
/// the largest message goes at once, and so it does when nothing completes for the stall timeout.
///
/// A state machine: the clock is handed in, what is to be done goes to the holders and to `onPressureChange`.
final class AssemblyBudget {
    let limitBytes: Int
    let hardLimitBytes: Int
    let lastLimitBytes: Int
    let stallNanoseconds: UInt64

    private(set) var usedBytes = 0
    private(set) var peakBytes = 0
    /// The first in the line whose sender is not held; nil when there is none.
    var oldest: UnfinishedMessage? {
        var next = first
        while let message = next, message.isHeld { next = message.newer }
        return next
    }
    private var first: UnfinishedMessage?
    private var newest: UnfinishedMessage?
    private var stalledSinceNanoseconds: UInt64?
    private var isRelieving = false
    /// Who may be read has changed.
    var onPressureChange: () -> Void = {}

    init(limitBytes: Int, stallNanoseconds: UInt64) {
        precondition(limitBytes > 0, "without room nothing could ever be received")
        self.limitBytes = limitBytes
        hardLimitBytes = limitBytes + limitBytes / 4
        lastLimitBytes = 2 * limitBytes
        self.stallNanoseconds = stallNanoseconds
    }

    var isExhausted: Bool { usedBytes >= limitBytes }
    var isAtHardLimit: Bool { usedBytes >= hardLimitBytes }

    /// The message has `bytes` of memory now; the first time it goes to the end of the line.
    func update(_ message: UnfinishedMessage, bytes: Int) {
        if !message.isListed { append(message) }
        let wasAtHardLimit = isAtHardLimit
        usedBytes += bytes - message.bytes
        message.bytes = bytes
        peakBytes = max(peakBytes, usedBytes)
        if isAtHardLimit != wasAtHardLimit { onPressureChange() }
        while usedBytes > lastLimitBytes, let largest { giveUp(largest) }
    }

    /// May the sender of this message be credited `bytes` now? If not they are kept in mind.
    func mayCredit(_ message: UnfinishedMessage, bytes: Int) -> Bool {
        if !isExhausted || message === oldest || !message.isListed { return true }
        message.withheldBytes += bytes
        return false
    }

    /// The holder does not let the sender go on, for reasons of its own, or does again: a message that cannot be completed
    /// is not the one that the others wait for.
    func setHeld(_ message: UnfinishedMessage, _ isHeld: Bool) {
        guard message.isHeld != isHeld else { return }
        message.isHeld = isHeld
        guard message.isListed else { return }
        if isAtHardLimit { onPressureChange() }
        relieve()
    }

    /// The message is complete or given up.
    /// - Returns: bytes that were withheld from its sender.
    @discardableResult
    func remove(_ message: UnfinishedMessage) -> Int {
        guard message.isListed else { return 0 }
        let owedBytes = message.withheldBytes
        let wasAtHardLimit = isAtHardLimit
        let wasOldest = message === oldest
        unlink(message)
        usedBytes -= message.bytes
        message.bytes = 0
        message.withheldBytes = 0
        stalledSinceNanoseconds = nil
        if isAtHardLimit != wasAtHardLimit || (isAtHardLimit && wasOldest) { onPressureChange() }
        relieve()
        return owedBytes
    }

    /// To be called regularly: gives up the largest messages when nothing moves, and lets waiting ones go on.
    func tick(nowNanoseconds: UInt64) {
        guard isExhausted else {
            stalledSinceNanoseconds = nil
            relieve()
            return
        }
        guard let since = stalledSinceNanoseconds else {
            stalledSinceNanoseconds = nowNanoseconds
            return
        }
        guard nowNanoseconds - since >= stallNanoseconds else { return }
        // Some room beyond the limit, or the next who come would only stall again.
        while usedBytes > limitBytes - limitBytes / 4, let largest { giveUp(largest) }
    }

    private func giveUp(_ message: UnfinishedMessage) {
        // The holder ends its call, which removes the message; removing again does no harm.
        message.holder?.giveUp()
        remove(message)
    }

    private var largest: UnfinishedMessage? {
        var result = first
        var next = first
        while let message = next {
            if message.bytes > result?.bytes ?? 0 { result = message }
            next = message.newer
        }
        return result
    }

    /// Credits what was withheld: the oldest in any case, others while there is room.
    private func relieve() {
        // A holder that is credited may call back.
        guard !isRelieving else { return }
        isRelieving = true
        defer { isRelieving = false }
        var roomBytes = limitBytes - usedBytes
        let oldest = oldest
        var next = first
        var isOldestServed = oldest == nil
        while let message = next, roomBytes > 0 || !isOldestServed {
            next = message.newer
            if message === oldest { isOldestServed = true }
            let bytes = message.withheldBytes
            guard bytes > 0, !message.isHeld else { continue }
            message.withheldBytes = 0
            roomBytes -= bytes
            message.holder?.credit(bytes: bytes)
        }
    }

    private func append(_ message: UnfinishedMessage) {
        message.isListed = true
        message.older = newest
        newest?.newer = message
        newest = message
        if first == nil { first = message }
    }

    private func unlink(_ message: UnfinishedMessage) {
        if message === first { first = message.newer }
        if message === newest { newest = message.older }
        message.older?.newer = message.newer
        message.newer?.older = message.older
        message.older = nil
        message.newer = nil
        message.isListed = false
    }
}

/// One message that has come in part: a place in the budget's line, which is linked through the messages themselves.
final class UnfinishedMessage {
    weak var holder: (any UnfinishedMessageHolder)?
    fileprivate(set) var bytes = 0
    fileprivate(set) var withheldBytes = 0
    fileprivate(set) var isListed = false
    fileprivate(set) var isHeld = false
    fileprivate var newer: UnfinishedMessage?
    fileprivate weak var older: UnfinishedMessage?

    init(holder: any UnfinishedMessageHolder) { self.holder = holder }
}

protocol UnfinishedMessageHolder: AnyObject {
    /// Allows the sender this much more.
    func credit(bytes: Int)
    /// Ends the call: the message takes too much room for too long.
    func giveUp()
}

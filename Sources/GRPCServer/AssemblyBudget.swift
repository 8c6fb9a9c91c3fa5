// SPDX-License-Identifier: Apache-2.0
import DequeModule
import Platform

/// Bounds the memory of half-received messages over all connections, fairly: the budget is shared among the sources that
/// have unfinished messages, and the share of a source among its connections.
///
/// - Below the limit every stream is credited what it sends.
/// - At the limit a connection within its share still is. Of the others only one message is at a time, the oldest whose
///   turn has not been wasted: that completes and frees its bytes. The bytes of the others are credited later.
/// - At the hard limit, a quarter above, connections beyond their share are not read.
/// - At twice the limit the largest message of the largest holder goes at once.
/// - A turn that has not completed its message within the stall timeout is wasted. Then messages that are older than that go:
///   those of connections with several times their share first; after a second wasted turn, the largest holders.
///
/// The progress of one connection therefore never depends on another, and messages that complete beside it prolong no turn.
///
/// A state machine: the clock is handed in, what is to be done goes to the holders and to `onPressureChange`.
final class AssemblyBudget {
    let limitBytes: Int
    let hardLimitBytes: Int
    let lastLimitBytes: Int
    let stallNanoseconds: UInt64

    /// A connection with so many times its share is the first to be cut back.
    private static let hogFactor = 4
    /// Turns in a row that may be wasted before connections go that have little more than their share: one may belong to an
    /// honest sender on a slow line.
    private static let bearableWastedTurns = 1

    private(set) var usedBytes = 0
    private(set) var peakBytes = 0
    /// At the limit: the message that is credited whatever its connection holds.
    private(set) var turn: UnfinishedMessage?
    private var turnSinceNanoseconds: UInt64 = 0
    private var wastedTurns = 0
    private(set) var sources: [NetworkSource: AssemblySource] = [:]
    private var first: UnfinishedMessage?
    private var newest: UnfinishedMessage?
    /// Messages from whose senders bytes are withheld, in the order in which that began. One that is held, or over, is
    /// dropped when its turn comes.
    private var waiting: Deque<UnfinishedMessage> = []
    /// There was more to be given up than goes in one tick.
    var unfinishedCutBack: Int?
    private(set) var nowNanoseconds: UInt64 = 0
    private var isRelieving = false
    /// Connections that may be read are others than before.
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

    /// Whether the connection may be read: what it has been allowed already may come.
    func mayRead(_ holder: AssemblyHolder) -> Bool {
        !isAtHardLimit || isWithinShare(holder) || turn?.connection === holder
    }

    /// The message has `bytes` of memory now; the first time it goes to the end of the line.
    func update(_ message: UnfinishedMessage, bytes: Int) {
        if !message.isListed { append(message) }
        let wasAtHardLimit = isAtHardLimit
        add(bytes - message.bytes, to: message)
        peakBytes = max(peakBytes, usedBytes)
        if isExhausted { giveTurn() }
        if isAtHardLimit != wasAtHardLimit { onPressureChange() }
        while usedBytes > lastLimitBytes, let largest = largest() { giveUp(largest) }
    }

    /// May the sender of this message be credited `bytes` now? If not they are kept in mind.
    func mayCredit(_ message: UnfinishedMessage, bytes: Int) -> Bool {
        if !isExhausted || !message.isListed || message === turn || isWithinShare(message.connection) { return true }
        message.withheldBytes += bytes
        enqueue(message)
        return false
    }

    /// Whether the message's sender waits for this budget.
    func isWithheld(_ message: UnfinishedMessage) -> Bool { message.withheldBytes > 0 }

    private func enqueue(_ message: UnfinishedMessage) {
        guard !message.isWaiting, message.withheldBytes > 0 else { return }
        message.isWaiting = true
        waiting.append(message)
    }

    /// The holder does not let the sender go on, for reasons of its own, or does again: a message that cannot be completed
    /// has no turn.
    func setHeld(_ message: UnfinishedMessage, _ isHeld: Bool) {
        guard message.isHeld != isHeld else { return }
        message.isHeld = isHeld
        guard message.isListed else { return }
        if isHeld, message === turn { turn = nil }
        if !isHeld { enqueue(message) }
        if isExhausted { giveTurn() }
        relieve()
    }

    /// The message is complete or given up.
    /// - Returns: bytes that were withheld from its sender.
    @discardableResult
    func remove(_ message: UnfinishedMessage) -> Int {
        guard message.isListed else { return 0 }
        let owedBytes = message.withheldBytes
        let wasAtHardLimit = isAtHardLimit
        add(-message.bytes, to: message)
        unlink(message)
        message.withheldBytes = 0
        message.hasWastedTurn = false
        if message === turn {
            turn = nil
            wastedTurns = 0
        }
        if isExhausted { giveTurn() } else { endTurns() }
        if isAtHardLimit != wasAtHardLimit { onPressureChange() }
        relieve()
        return owedBytes
    }

    /// To be called regularly: ends a turn that takes too long, and lets waiting messages go on.
    func tick(nowNanoseconds now: UInt64) {
        nowNanoseconds = now
        if isExhausted {
            if let factor = unfinishedCutBack { cutBack(beyondShares: factor) }
            giveTurn()
            if let turn, now.elapsed(since: turnSinceNanoseconds) >= stallNanoseconds { wasteTurn(of: turn) }
            // Shares change with the number of those who have one.
            if isAtHardLimit { onPressureChange() }
            relieve(isWholeQueue: true)
        } else {
            endTurns()
            relieve()
        }
    }

    // MARK: Turns

    private func giveTurn() {
        guard turn == nil else { return }
        var candidate: UnfinishedMessage?
        var next = first
        while let message = next {
            next = message.newer
            guard !message.isHeld else { continue }
            if !message.hasWastedTurn {
                candidate = message
                break
            }
            candidate = candidate ?? message
        }
        guard let candidate else { return }
        turn = candidate
        turnSinceNanoseconds = nowNanoseconds
        if isAtHardLimit { onPressureChange() }
        relieve()
    }

    private func endTurns() {
        turn = nil
        wastedTurns = 0
        unfinishedCutBack = nil
    }

    private func wasteTurn(of message: UnfinishedMessage) {
        wastedTurns += 1
        // The next turn goes to another connection, if there is one.
        message.connection.forEachMessage { $0.hasWastedTurn = true }
        turn = nil
        cutBack(beyondShares: Self.hogFactor)
        if wastedTurns > Self.bearableWastedTurns { cutBack(beyondShares: 0) }
        if isExhausted { giveTurn() }
    }

    // MARK: Shares

    /// The share of a connection at the limit.
    func share(of holder: AssemblyHolder) -> Int {
        limitBytes / max(1, sources.count) / max(1, holder.source?.holders.count ?? 1)
    }

    private func isWithinShare(_ holder: AssemblyHolder) -> Bool { holder.bytes <= share(of: holder) }

    private func add(_ bytes: Int, to message: UnfinishedMessage) {
        usedBytes += bytes
        message.bytes += bytes
        message.connection.bytes += bytes
        message.connection.source?.bytes += bytes
    }

    // MARK: Credit

    /// Credits what was withheld: to the message whose turn it is in any case, to others while there is room.
    ///
    /// - Parameter isWholeQueue: also to those that have come to be within their share.
    private func relieve(isWholeQueue: Bool = false) {
        // A holder that is credited may call back.
        guard !isRelieving else { return }
        isRelieving = true
        defer { isRelieving = false }
        var roomBytes = limitBytes - usedBytes
        if let turn { roomBytes -= credit(turn) }
        while roomBytes > 0, let message = waiting.popFirst() {
            message.isWaiting = false
            roomBytes -= credit(message)
        }
        guard isWholeQueue, roomBytes <= 0 else { return }
        for _ in 0..<waiting.count {
            guard let message = waiting.popFirst() else { return }
            message.isWaiting = false
            if message.isListed, isWithinShare(message.connection) { _ = credit(message) }
            if !message.isHeld { enqueue(message) }
        }
    }

    private func credit(_ message: UnfinishedMessage) -> Int {
        guard message.isListed, !message.isHeld, message.withheldBytes > 0 else { return 0 }
        let bytes = message.withheldBytes
        message.withheldBytes = 0
        message.holder?.credit(bytes: bytes)
        return bytes
    }

    // MARK: The line

    private func append(_ message: UnfinishedMessage) {
        message.isListed = true
        message.beganNanoseconds = nowNanoseconds
        message.older = newest
        newest?.newer = message
        newest = message
        if first == nil { first = message }
        let holder = message.connection
        if holder.messages.isEmpty {
            let source = sources[holder.address] ?? AssemblySource()
            sources[holder.address] = source
            source.add(holder)
        }
        holder.add(message)
    }

    private func unlink(_ message: UnfinishedMessage) {
        if message === first { first = message.newer }
        if message === newest { newest = message.older }
        message.older?.newer = message.newer
        message.newer?.older = message.older
        message.older = nil
        message.newer = nil
        message.isListed = false
        let holder = message.connection
        holder.remove(message)
        guard holder.messages.isEmpty, let source = holder.source else { return }
        source.remove(holder)
        if source.holders.isEmpty { sources[holder.address] = nil }
    }
}

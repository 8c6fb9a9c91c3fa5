// SPDX-License-Identifier: Apache-2.0
import DequeModule
import RingMessages

/// The downloads of one agent's StreamPressureProfiles stream, one after the other: an agent serves one at a time, and one
/// that has begun cannot be cancelled. An unwanted one is read and dropped up to its `last` chunk, and only then
/// the next is asked for.
///
/// A state machine without I/O. Times are nanoseconds of ``AgentClock``: while this worker does not read, no agent is silent.
struct ProfileFetches {
    typealias Key = CommandID

    enum Action: Equatable {
        /// Ask the agent.
        case send(Key, requestID: String, FetchCommand)
        /// The chunk just received goes to the exporter, as the bytes from `offset` on.
        case forward(Key, offset: UInt64)
        /// The last that the exporter hears of this download.
        case end(Key, FetchEnding)
        /// The stream's sender is to wait, or to go on.
        case hold(Bool)
        /// The chunk just received belongs to no download that is under way.
        case unasked
    }

    /// Downloads that wait behind the one under way: people who want profiles of one node, and a script or two.
    static let maximumWaiting = 16
    /// The longest time between two chunks (HTTP contract).
    static let silenceNanoseconds: UInt64 = 30_000_000_000
    /// The longest time that the stream is held in one go. The agent sends its heartbeats under the same lock, every ten
    /// seconds, and is taken to be gone after thirty.
    static let longestHoldNanoseconds: UInt64 = 5_000_000_000

    private struct RunningFetch {
        let key: Key
        let requestID: String
        var isWanted = true
        var sentBytes: UInt64 = 0
        var takenBytes: UInt64 = 0
        /// When the agent was asked, or its last chunk came.
        var lastMessageNanoseconds: UInt64
        var heldSinceNanoseconds: UInt64?

        var isHeld: Bool { heldSinceNanoseconds != nil }
        var isWindowFull: Bool { sentBytes - takenBytes > FetchCredit.windowBytes }
    }

    private var running: RunningFetch?
    private var waiting: Deque<(key: Key, command: FetchCommand)> = []

    /// A download is under way, or the rest of one is being dropped: the agent answers no list meanwhile.
    var isServing: Bool { running != nil }
    var waitingCount: Int { waiting.count }

    /// The key of the request to the agent, which its chunks bear.
    static func requestID(_ key: Key) -> String { "f-\(key.generation)-\(key.number)" }

    // MARK: From the exporter

    mutating func fetch(_ key: Key, _ command: FetchCommand, nowNanoseconds now: UInt64) -> [Action] {
        guard running?.key != key, !waiting.contains(where: { $0.key == key }) else { return [] }
        if running == nil { return [begin(key, command, now)] }
        guard waiting.count < Self.maximumWaiting else {
            let text = "\(Self.maximumWaiting) downloads are waiting for this agent"
            return [.end(key, FetchEnding(.busy, message: text))]
        }
        waiting.append((key, command))
        return []
    }

    /// - Parameter takenBytes: of the whole download, as in ``FetchCredit``.
    mutating func credited(_ key: Key, takenBytes: UInt64) -> [Action] {
        guard var fetch = running, fetch.key == key else { return [] }
        fetch.takenBytes = max(fetch.takenBytes, min(takenBytes, fetch.sentBytes))
        let isReleased = fetch.isHeld && !fetch.isWindowFull
        if isReleased { fetch.heldSinceNanoseconds = nil }
        running = fetch
        return isReleased ? [.hold(false)] : []
    }

    /// The exporter does not want it any more, and is told nothing more of it.
    mutating func drop(_ key: Key) -> [Action] {
        waiting.removeAll { $0.key == key }
        return running?.key == key ? dropRest() : []
    }

    /// Nobody is there any more who could want what an exporter of this generation has asked for.
    mutating func exporterGone(generation: UInt64) -> [Action] {
        waiting.removeAll { $0.key.generation == generation }
        return running?.key.generation == generation ? dropRest() : []
    }

    // MARK: From the agent

    /// A chunk of the stream.
    /// - Parameter error: empty on success.
    mutating func chunk(
        requestID: String, byteCount: Int, isLast: Bool, error: String, nowNanoseconds now: UInt64
    ) -> [Action] {
        // Also the rest of an older download shows that the agent is at work.
        running?.lastMessageNanoseconds = now
        guard var fetch = running, fetch.requestID == requestID else { return [.unasked] }
        var actions: [Action] = []
        if fetch.isWanted, byteCount > 0, error.isEmpty {
            actions.append(.forward(fetch.key, offset: fetch.sentBytes))
            fetch.sentBytes += UInt64(byteCount)
        }
        // An agent that fails has nothing more to say.
        if isLast || !error.isEmpty {
            running = fetch
            if fetch.isWanted {
                actions.append(.end(fetch.key, error.isEmpty ? FetchEnding(.complete) : Self.agentError(error)))
            }
            return actions + endCurrent(now)
        }
        if fetch.isWanted, !fetch.isHeld, fetch.isWindowFull {
            fetch.heldSinceNanoseconds = now
            actions.append(.hold(true))
        }
        running = fetch
        return actions
    }

    /// The stream has ended: every download ends with it.
    mutating func streamClosed() -> [Action] {
        endAll(FetchEnding(.agentGone, message: "the agent's stream has ended"))
    }

    /// The worker drains.
    mutating func drain() -> [Action] {
        endAll(FetchEnding(.draining, message: "the proxy's worker that serves this agent is being stopped"))
    }

    // MARK: Time

    mutating func tick(nowNanoseconds now: UInt64) -> [Action] {
        guard let fetch = running else { return [] }
        if let since = fetch.heldSinceNanoseconds {
            guard now - min(now, since) >= Self.longestHoldNanoseconds else { return [] }
            let seconds = Self.longestHoldNanoseconds / 1_000_000_000
            let text = "neither the client nor the spool file has accepted enough bytes for \(seconds) s"
            // The agent could not speak meanwhile.
            running?.lastMessageNanoseconds = now
            return [.end(fetch.key, FetchEnding(.notTaken, message: text))] + dropRest()
        }
        guard now - min(now, fetch.lastMessageNanoseconds) >= Self.silenceNanoseconds else { return [] }
        var actions: [Action] = []
        if fetch.isWanted {
            let seconds = Self.silenceNanoseconds / 1_000_000_000
            actions.append(
                .end(fetch.key, FetchEnding(.silent, message: "the agent has sent nothing for \(seconds) s")))
        }
        return actions + endCurrent(now)
    }

    // MARK: Inside

    /// As long as an agent's message may be for people; the rest of it helps nobody.
    private static let longestErrorCharacters = 1000

    private static func agentError(_ text: String) -> FetchEnding {
        FetchEnding(.agentError, message: String(text.prefix(longestErrorCharacters)))
    }

    private mutating func begin(_ key: Key, _ command: FetchCommand, _ now: UInt64) -> Action {
        let requestID = Self.requestID(key)
        running = RunningFetch(key: key, requestID: requestID, lastMessageNanoseconds: now)
        return .send(key, requestID: requestID, command)
    }

    /// The one under way is read and dropped from here on, at full speed.
    private mutating func dropRest() -> [Action] {
        guard var fetch = running else { return [] }
        let wasHeld = fetch.isHeld
        fetch.isWanted = false
        fetch.heldSinceNanoseconds = nil
        running = fetch
        return wasHeld ? [.hold(false)] : []
    }

    private mutating func endCurrent(_ now: UInt64) -> [Action] {
        let wasHeld = running?.isHeld == true
        running = nil
        var actions: [Action] = wasHeld ? [.hold(false)] : []
        if let next = waiting.popFirst() { actions.append(begin(next.key, next.command, now)) }
        return actions
    }

    private mutating func endAll(_ ending: FetchEnding) -> [Action] {
        var actions: [Action] = []
        if let fetch = running, fetch.isWanted { actions.append(.end(fetch.key, ending)) }
        for fetch in waiting { actions.append(.end(fetch.key, ending)) }
        if running?.isHeld == true { actions.append(.hold(false)) }
        running = nil
        waiting = []
        return actions
    }
}

// SPDX-License-Identifier: Apache-2.0

/// The collections of one kind that are under way: who was asked, who waits, and until when.
///
/// A state machine without I/O and without a clock of its own. A wait that has ended is handed out as ``Served``;
/// the owner passes it on later, never while it reads what has ended the wait.
///
/// `Member` is what a collection waits for: an ingest worker, an agent, or a part of a larger collection.
public struct CollectionEngine<ID: Hashable, Request, Member: Hashable, Outcome> {
    /// One who waits.
    public struct Ticket: Hashable, Comparable, Sendable {
        private let number: UInt64

        fileprivate init(_ number: UInt64) { self.number = number }

        public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    }

    /// A collection under way.
    public struct Entry {
        public let id: ID
        public let request: Request
        public let startedAtNanoseconds: UInt64
        /// `UInt64.max` until members have been asked.
        public fileprivate(set) var deadlineNanoseconds = UInt64.max
        /// Members that were asked and are not done.
        public fileprivate(set) var pending: Set<Member> = []
        public var outcome: Outcome
        fileprivate var waiters: [Ticket: UInt64] = [:]

        /// In the order in which they came.
        public var tickets: [Ticket] { waiters.keys.sorted() }
        public var hasWaiters: Bool { !waiters.isEmpty }
    }

    /// Why somebody waits no longer.
    public enum Ending: Sendable {
        /// Every member is done or lost.
        case complete
        /// The collection has come to its deadline; members are pending.
        case deadline
        /// The waiters have what they need; the collection goes on.
        case released
        /// The waiters have come to a deadline of their own; the collection goes on.
        case late
        /// The owner has ended the collection.
        case ended
    }

    /// Waiters whose wait is over, and what there is for them.
    public struct Served {
        public let ending: Ending
        /// As it was at this moment; of a collection that goes on as well.
        public var entry: Entry
        public let tickets: [Ticket]
    }

    private var entries: [ID: Entry] = [:]
    private var places: [Ticket: ID] = [:]
    private var lastTicket: UInt64 = 0

    public init() {}

    // MARK: What is under way

    public var count: Int { entries.count }
    public var all: some Sequence<Entry> { entries.values }

    public subscript(id: ID) -> Entry? { entries[id] }

    public func contains(_ id: ID) -> Bool { entries[id] != nil }
    public func isWaiting(_ ticket: Ticket) -> Bool { places[ticket] != nil }
    public func collection(of ticket: Ticket) -> ID? { places[ticket] }

    /// The collections that wait for the member.
    public func ids(waitingFor member: Member) -> [ID] {
        var ids: [ID] = []
        for (id, entry) in entries where entry.pending.contains(member) { ids.append(id) }
        return ids
    }

    /// The next time at which ``expire(nowNanoseconds:)`` has something to do.
    public var nextDeadlineNanoseconds: UInt64? {
        let deadlines = entries.values.map { min($0.deadlineNanoseconds, $0.waiters.values.min() ?? .max) }
        return deadlines.min().flatMap { $0 == .max ? nil : $0 }
    }

    // MARK: Join or start

    /// Begins a collection; it ends no earlier than members have been asked.
    public mutating func begin(_ id: ID, _ request: Request, _ outcome: Outcome, nowNanoseconds: UInt64) {
        precondition(entries[id] == nil, "a collection of that id is under way")
        entries[id] = Entry(id: id, request: request, startedAtNanoseconds: nowNanoseconds, outcome: outcome)
    }

    /// These members are asked, until then.
    /// - Returns: what is over at once, because nobody is waited for.
    public mutating func ask(_ members: some Sequence<Member>, in id: ID, deadlineNanoseconds: UInt64) -> Served? {
        entries[id]?.pending.formUnion(members)
        entries[id]?.deadlineNanoseconds = deadlineNanoseconds
        return finishIfComplete(id)
    }

    /// One more waits for a collection, at most until then.
    public mutating func join(_ id: ID, untilNanoseconds: UInt64 = .max) -> Ticket {
        precondition(entries[id] != nil, "a collection that is not under way cannot be joined")
        lastTicket += 1
        let ticket = Ticket(lastTicket)
        entries[id]?.waiters[ticket] = untilNanoseconds
        places[ticket] = id
        return ticket
    }

    // MARK: What happens

    /// Something has come that does not end anything.
    public mutating func note(in id: ID, _ change: (inout Outcome) -> Void) {
        guard entries[id] != nil else { return }
        change(&entries[id]!.outcome)
    }

    /// A member is done with a collection, or is not waited for any more.
    public mutating func done(
        _ member: Member, in id: ID, _ change: (inout Outcome) -> Void = { _ in }
    ) -> Served? {
        guard entries[id]?.pending.remove(member) != nil else { return nil }
        change(&entries[id]!.outcome)
        return finishIfComplete(id)
    }

    /// The same in every collection that waits for the member: it is lost, or has answered all at once.
    public mutating func done(
        _ member: Member, _ change: (inout Outcome, Request) -> Void = { _, _ in }
    ) -> [Served] {
        // No copy of an entry may live while it is changed, or its members would be copied with each that is done.
        ids(waitingFor: member).compactMap { id in
            guard let request = entries[id]?.request else { return nil }
            return done(member, in: id) { change(&$0, request) }
        }
    }

    /// Those waiters of a collection have all that they need.
    public mutating func release(_ tickets: some Sequence<Ticket>, of id: ID) -> Served? {
        take(tickets, of: id, .released)
    }

    private mutating func take(_ tickets: some Sequence<Ticket>, of id: ID, _ ending: Ending) -> Served? {
        let released = tickets.filter { places[$0] == id }.sorted()
        guard !released.isEmpty, let entry = entries[id] else { return nil }
        for ticket in released { remove(ticket) }
        return Served(ending: ending, entry: entry, tickets: released)
    }

    /// One who waits has gone.
    /// - Returns: the collection, if nobody waits for it any more.
    public mutating func abandon(_ ticket: Ticket) -> ID? {
        guard let id = places[ticket] else { return nil }
        remove(ticket)
        return entries[id]?.hasWaiters == false ? id : nil
    }

    /// Ends what has come to its deadline.
    public mutating func expire(nowNanoseconds now: UInt64) -> [Served] {
        entries.values.compactMap { entry in
            if entry.deadlineNanoseconds <= now { return remove(entry.id, .deadline) }
            return take(entry.waiters.filter { $0.value <= now }.keys, of: entry.id, .late)
        }
    }

    // MARK: Ends

    /// Ends a collection with what has come.
    public mutating func finish(_ id: ID) -> Served? { remove(id, .ended) }

    /// Ends every collection with what has come.
    public mutating func finishAll() -> [Served] { Array(entries.keys).compactMap { remove($0, .ended) } }

    private mutating func finishIfComplete(_ id: ID) -> Served? {
        guard let entry = entries[id], entry.pending.isEmpty, entry.deadlineNanoseconds != .max else { return nil }
        return remove(id, .complete)
    }

    private mutating func remove(_ id: ID, _ ending: Ending) -> Served? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        for ticket in entry.waiters.keys { places[ticket] = nil }
        return Served(ending: ending, entry: entry, tickets: entry.tickets)
    }

    private mutating func remove(_ ticket: Ticket) {
        guard let id = places.removeValue(forKey: ticket) else { return }
        entries[id]?.waiters[ticket] = nil
    }
}

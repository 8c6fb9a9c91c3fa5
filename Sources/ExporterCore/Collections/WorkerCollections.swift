// SPDX-License-Identifier: Apache-2.0
import Collecting
import NIOCore
import Platform
import RingMessages
import Rings

/// The base of collections of every kind: the loop's clock, the way to the ingest workers, and the way to those who wait.
final class CollectionSupport {
    let loop: any EventLoop
    let workers: WorkerChannels
    let deliveries: DeliveryQueue
    /// Called at a deadline, so that what has been answered in time counts.
    var readRings: () -> Void = {}

    init(loop: any EventLoop, workers: WorkerChannels, deliveries: DeliveryQueue) {
        self.loop = loop
        self.workers = workers
        self.deliveries = deliveries
    }
}

/// The collections of one kind whose members are the ingest workers: asks them, keeps the time, and has answers delivered.
/// The special part of a kind is in the values that it passes in.
final class WorkerCollections<Request, Outcome, Answer> {
    typealias Engine = CollectionEngine<UInt64, Request, Int, Outcome>

    /// A worker ends a collection at its deadline by itself; this much later nobody waits for its word any more.
    static var graceNanoseconds: UInt64 { 250_000_000 }

    private(set) var engine = Engine()
    private let support: CollectionSupport
    private var waiting: [Engine.Ticket: (Answer) -> Void] = [:]
    /// Where in its command ring each worker finds the question.
    private var positions: [UInt64: [Int: UInt64]] = [:]
    /// When the loop looks at deadlines next.
    private var wakesAtNanoseconds = UInt64.max
    private let answers: (Engine.Served) -> [(Engine.Ticket, Answer)]

    /// - Parameter answers: what each of those gets whose wait is over. Records may be being read when it is called: what
    ///   takes time, or reads rings, belongs to the delivery.
    init(_ support: CollectionSupport, answers: @escaping (Engine.Served) -> [(Engine.Ticket, Answer)]) {
        self.support = support
        self.answers = answers
    }

    // MARK: Join or start

    /// - Returns: the number that the question will have.
    func begin(_ request: Request, _ outcome: Outcome) -> UInt64 {
        let number = support.workers.nextNumber()
        engine.begin(number, request, outcome, nowNanoseconds: MonotonicClock.nowNanoseconds())
        return number
    }

    /// Asks every worker that takes commands.
    /// - Parameter note: what is to be remembered of those that could not be asked.
    func ask(
        _ number: UInt64, _ type: RecordType, _ payload: [UInt8], deadlineNanoseconds: UInt64,
        _ note: (inout Outcome, WorkerChannels.Asked) -> Void
    ) {
        let asked = support.workers.ask(type, payload, number: number)
        positions[number] = asked.positions
        engine.note(in: number) { note(&$0, asked) }
        let (deadline, isOverflow) = deadlineNanoseconds.addingReportingOverflow(Self.graceNanoseconds)
        let end = isOverflow ? .max - 1 : deadline
        serve(engine.ask(asked.positions.keys, in: number, deadlineNanoseconds: end))
        if engine.contains(number) { wake(noLaterThan: end) }
    }

    /// Calls `delivered` once, in a turn of the loop of its own, unless the ticket is abandoned before.
    func join(
        _ number: UInt64, untilNanoseconds: UInt64 = .max, _ delivered: @escaping (Answer) -> Void
    ) -> Engine.Ticket {
        let ticket = engine.join(number, untilNanoseconds: untilNanoseconds)
        waiting[ticket] = delivered
        wake(noLaterThan: untilNanoseconds)
        return ticket
    }

    // MARK: Events

    func note(in number: UInt64, _ change: (inout Outcome) -> Void) { engine.note(in: number, change) }

    /// A worker has said that it is done.
    func workerDone(_ worker: Int, in number: UInt64, _ change: (inout Outcome, Request) -> Void) {
        guard let request = engine[number]?.request else { return }
        serve(engine.done(worker, in: number) { change(&$0, request) })
    }

    /// The worker is gone, and with it what it still owed.
    func workerLost(_ worker: Int, _ change: (inout Outcome, Request) -> Void) {
        for served in engine.done(worker, change) { serve(served) }
    }

    /// Waiters that have what they need of a collection which goes on.
    func release(_ tickets: [Engine.Ticket], of number: UInt64) { serve(engine.release(tickets, of: number)) }

    /// One who waits has gone.
    /// - Returns: the collection, if nobody waits for it any more.
    func abandon(_ ticket: Engine.Ticket) -> UInt64? {
        waiting[ticket] = nil
        return engine.abandon(ticket)
    }

    func finish(_ number: UInt64, _ change: (inout Outcome) -> Void = { _ in }) {
        engine.note(in: number, change)
        serve(engine.finish(number))
    }

    /// This exporter ends: everybody gets what has come.
    func finishAll(_ change: (inout Outcome) -> Void) {
        for entry in engine.all { finish(entry.id, change) }
    }

    /// Whether a worker is the reason why its agents' answers are not here.
    func isSilent(_ worker: Int, in number: UInt64) -> Bool {
        support.workers.isSilent(
            worker, askedAt: positions[number]?[worker] ?? 0, nowNanoseconds: MonotonicClock.nowNanoseconds())
    }

    // MARK: Deadlines

    private func wake(noLaterThan time: UInt64) {
        guard time < wakesAtNanoseconds else { return }
        wakesAtNanoseconds = time
        let now = MonotonicClock.nowNanoseconds()
        let delay = TimeAmount.nanoseconds(Int64(clamping: time - min(now, time)))
        support.loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            // An earlier look has been arranged since, which has arranged the next.
            guard let self, wakesAtNanoseconds == time else { return }
            expire()
        }
    }

    private func expire() {
        support.readRings()
        wakesAtNanoseconds = .max
        for served in engine.expire(nowNanoseconds: MonotonicClock.nowNanoseconds()) { serve(served) }
        if let next = engine.nextDeadlineNanoseconds { wake(noLaterThan: next) }
    }

    // MARK: Deliveries

    private func serve(_ served: Engine.Served?) {
        guard let served else { return }
        for (ticket, answer) in answers(served) {
            guard let delivered = waiting.removeValue(forKey: ticket) else { continue }
            deliver(answer, delivered)
        }
        if !engine.contains(served.entry.id) { positions[served.entry.id] = nil }
    }

    /// The answers that are there already.
    func deliver(_ answer: Answer, _ delivered: @escaping (Answer) -> Void) {
        support.deliveries.add { delivered(answer) }
    }
}

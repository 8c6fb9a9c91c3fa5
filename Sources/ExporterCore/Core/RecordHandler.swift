// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings

/// A feature's handler of the records of one type that answer this exporter's questions.
///
/// Current records (identity, series, sample, and ``RecordType/answers``) have no handler: ``RecordIntake`` keeps them for
/// all features.
struct RecordHandler {
    fileprivate enum Action {
        case ofWorker((RecordHeader, RawSpan, Int) -> Bool)
        case ofAgent((RecordHeader, RawSpan, RingAgent) -> Bool)
    }

    let type: RecordType
    fileprivate let action: Action

    /// - Parameter take: is given the worker; returns whether the payload is what its type says. The payload is there until
    ///   it returns.
    init(_ type: RecordType, _ take: @escaping (RecordHeader, RawSpan, _ worker: Int) -> Bool) {
        self.type = type
        action = .ofWorker(take)
    }

    /// - Parameter take: the same for records that belong to an agent. Those of agents that are gone are left out.
    init(ofAgent type: RecordType, _ take: @escaping (RecordHeader, RawSpan, RingAgent) -> Bool) {
        self.type = type
        action = .ofAgent(take)
    }

    /// - Parameter take: is given the decoded payload.
    init<Payload: RecordPayload>(
        _ type: RecordType, as _: Payload.Type, _ take: @escaping (RecordHeader, Payload, _ worker: Int) -> Void
    ) {
        self.init(type) { header, bytes, worker in
            guard let payload = Payload(payload: bytes) else { return false }
            take(header, payload, worker)
            return true
        }
    }
}

/// The handlers of all features, by type.
final class RecordTable {
    /// This exporter's: records that answer another exporter are left out.
    private let generation: UInt64
    private var handlers: [RecordType: RecordHandler] = [:]

    init(generation: UInt64) {
        self.generation = generation
    }

    func add(_ added: [RecordHandler]) {
        for handler in added {
            precondition(handlers.updateValue(handler, forKey: handler.type) == nil, "one type has one handler")
        }
    }

    /// - Parameter agent: finds the agent of a slot.
    /// - Returns: whether the payload is what its type says, as far as a handler has looked.
    func take(_ header: RecordHeader, _ payload: RawSpan, worker: Int, agent: (SlotRef) -> RingAgent?) -> Bool {
        guard header.generation == generation, let handler = handlers[header.type] else { return true }
        switch handler.action {
        case .ofWorker(let take): return take(header, payload, worker)
        case .ofAgent(let take):
            guard let agent = agent(header.agent) else { return true }
            return take(header, payload, agent)
        }
    }
}

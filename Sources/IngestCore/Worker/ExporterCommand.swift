// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings

/// How a feature takes one type of command of an exporter.
struct ExporterCommand {
    /// The answer of a worker that drains to an exporter.
    struct Refusal {
        var type: RecordType
        var payload: [UInt8]
    }

    /// `nil`: the exporter needs no answer.
    let refusal: Refusal?
    /// Reads a record's payload, and says what is to be done then; `nil` when it is damaged.
    let read: (RawSpan, CommandID) -> (() -> Void)?

    /// A command that says what it wants in its payload.
    init<Payload: RecordPayload>(
        _ payload: Payload.Type, refusal: Refusal? = nil, _ run: @escaping (Payload, CommandID) -> Void
    ) {
        self.refusal = refusal
        read = { payload, id in Payload(payload: payload).map { command in { run(command, id) } } }
    }

    /// A command without a payload.
    init(_ run: @escaping (CommandID) -> Void) {
        refusal = nil
        read = { _, id in { run(id) } }
    }
}

extension ExporterCommand.Refusal {
    /// Of a collection.
    static func collection(_ type: RecordType) -> Self {
        Self(type: type, payload: CollectionOutcome(ending: .draining).payload)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Settings

@testable import WorkerLink

// The messages of supervisor and workers: those of the worker socket, and the arguments of a start. An input is
// which of the three, and its bytes.

extension FuzzTarget {
    static let workerMessages = FuzzTarget("worker-messages", limitBytes: 2048, seeds: WorkerMessagesRun.seeds) {
        bytes in
        var input = FuzzInput(bytes)
        switch input.below(3) {
        case 0:
            let sent = input.rest()
            guard let message = MessageCoding.decodeSupervisorMessage(sent) else { return }
            try hold(MessageCoding.encode(message) == sent, "\(message) is written otherwise than it was read")
            try hold(MessageCoding.decodeWorkerMessage(sent) == nil, "\(message) is a message of both directions")
        case 1:
            let sent = input.rest()
            guard let message = MessageCoding.decodeWorkerMessage(sent) else { return }
            try hold(MessageCoding.encode(message) == sent, "\(message) is written otherwise than it was read")
        default:
            var arguments: [String] = []
            while !input.isAtEnd { arguments.append(input.text()) }
            guard let launch = try? WorkerLaunch(decoding: arguments) else { return }
            let again = try WorkerLaunch(decoding: launch.arguments)
            try hold(again == launch, "a start is another after it was written: \(launch.arguments)")
        }
    }
}

private enum WorkerMessagesRun {
    static let seeds: [[UInt8]] = {
        let orders: [SupervisorMessage] = [
            .drain(deadlineNanoseconds: 5), .retire(deadlineNanoseconds: 6), .stop, .logLevel("debug"), .takeRing,
            .ring(index: 1), .ringGone(index: 63), .adopt(index: 0), .accepting(true),
        ]
        let answers: [WorkerMessage] = [.ready, .standby, .adopted(index: 3), .accepting(false)]
        let rings: [(WorkerRole, WorkerDescriptors.Rings)] = [
            (
                .ingest,
                .ingest(
                    .init(
                        dataRing: 7, commandA: 8, commandB: 9, wakeupA: 10, wakeupB: 11,
                        otherDataRings: [.init(index: 1, descriptor: 12)]))
            ),
            (
                .exporter,
                .exporter(
                    .init(dataRings: [7, 8], commandRings: [9, 10], wakeups: [11, 12], state: 13, recorderState: 14))
            ),
        ]
        let starts = rings.map { role, rings in
            var seed = SeedWriter(2)
            let launch = WorkerLaunch(
                role: role, index: 0, generation: 3, ingestWorkers: 2, suspects: role == .exporter ? [5, 6] : [],
                settings: ProxySettings(),
                descriptors: WorkerDescriptors(control: 3, link: 4, listener: 5, secret: 6, rings: rings))
            for argument in launch.arguments { seed.text(argument) }
            return seed.bytes
        }
        return orders.map { [0] + MessageCoding.encode($0) } + answers.map { [1] + MessageCoding.encode($0) } + starts
    }()
}

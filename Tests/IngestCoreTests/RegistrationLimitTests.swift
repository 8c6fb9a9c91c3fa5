// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings
import Testing

@testable import IngestCore

/// Limits of a registration's attributes, and what is kept for it.
@Suite struct RegistrationLimitTests {
    private static let answers = ["agent registered", "larger than 1024"]

    @Test func registration_refusesAPodNameTooLongForItsSeries() throws {
        let worker = try WorkerOnLoop()
        for (bytes, answer) in [(1024, Self.answers[0]), (1025, Self.answers[1])] {
            let client = try RegisteringClient(listener: worker.launch.descriptors.listener)
            #expect(try client.register(pod: String(repeating: "p", count: bytes), until: Self.answers) == answer)
        }
        #expect(try worker.reader().counter(IngestCounter.refusedInvalid.rawValue) == 1)
        #expect(try worker.onLoop { $0.service.registry.count } == 1)
        try worker.stop()
    }

    /// It waits for an older connection that answers no ping.
    @Test func registration_keepsItsConnectionWhilePending() throws {
        let worker = try WorkerOnLoop()
        let clients = try (0..<2).map { _ in try RegisteringClient(listener: worker.launch.descriptors.listener) }
        _ = try clients[0].register(pod: "pod", until: Self.answers)
        try clients[1].sendRegistration(pod: "pod")
        var kept: [Bool] = []
        while kept.isEmpty {
            kept = try worker.onLoop { $0.service.waitingRegistrations.all.map(\.call.call.keepsConnection) }
        }
        #expect(kept == [true])
        _ = try clients[1].answer(until: Self.answers)
        withExtendedLifetime(clients) {}
        try worker.stop()
    }
}

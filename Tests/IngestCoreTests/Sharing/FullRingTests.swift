// SPDX-License-Identifier: Apache-2.0
import Glibc
import RingMessages
import Rings
import Testing

@testable import IngestCore

/// A ring that takes no identity any more: who registers is told so, and nothing of it stays behind.
@Suite struct FullRingTests {
    private static let answers = ["agent registered", "no room"]

    /// Fills what is current up to the last bytes.
    private func fill(_ worker: WorkerOnLoop) throws -> [SlotRef] {
        try worker.onLoop { worker in
            let ring = worker.service.ring
            var slots: [SlotRef] = []
            var byteCount = 4 << 20
            while byteCount >= 64 {
                guard let slot = ring.claimSlot() else { break }
                do {
                    let bytes = [UInt8](repeating: 1, count: byteCount)
                    _ = try ring.append(.identity, agent: slot, isCurrent: true, bytes.span.bytes)
                    slots.append(slot)
                } catch {
                    ring.releaseSlot(slot)
                    byteCount /= 4
                }
            }
            return slots
        }
    }

    private func empty(_ worker: WorkerOnLoop, _ slots: [SlotRef]) throws {
        try worker.onLoop { worker in
            for slot in slots { worker.service.ring.releaseSlot(slot) }
        }
    }

    private func register(_ worker: WorkerOnLoop, _ pod: String, labels: [String: String] = [:]) throws -> String {
        let client = try RegisteringClient(listener: worker.launch.descriptors.listener)
        return try client.register(pod: pod, labels: labels, until: Self.answers)
    }

    /// Until the worker has seen that the agent's connection is closed.
    private func awaitUnconnected(_ worker: WorkerOnLoop) throws {
        // The bound is only there so that a broken worker does not hang the test.
        for _ in 0..<6000 {
            if try worker.onLoop({ $0.service.registry.all.allSatisfy { $0.registration == nil } }) { return }
            usleep(5000)
        }
        Issue.record("it is still connected")
    }

    @Test func fullRing_refusesANewAgentThatMayRetry() throws {
        let worker = try WorkerOnLoop(ringMaxSize: "80MiB")
        let fillers = try fill(worker)
        for refused in 1...2 {
            #expect(try register(worker, "late") == "no room")
            #expect(try worker.onLoop { $0.service.waitingRegistrations.count == 0 })
            #expect(try worker.onLoop { $0.service.registry.count } == 0)
            #expect(try worker.reader().counter(IngestCounter.refusedNoRoom.rawValue) == UInt64(refused))
        }
        try empty(worker, fillers)
        #expect(try register(worker, "late") == "agent registered")
        try worker.stop()
    }

    @Test func fullRing_refusesAReturningAgentAndKeepsItsEntry() throws {
        let worker = try WorkerOnLoop(ringMaxSize: "80MiB")
        #expect(try register(worker, "back") == "agent registered")
        try awaitUnconnected(worker)
        let fillers = try fill(worker)
        let large = ["label": String(repeating: "v", count: 12_000)]
        #expect(try register(worker, "back", labels: large) == "no room")
        #expect(try worker.onLoop { $0.service.waitingRegistrations.count == 0 })
        let statuses = try worker.onLoop { $0.service.registry.all.map(\.status) }
        #expect(statuses == [.unconnected])
        #expect(try worker.reader().counter(IngestCounter.agentsPending.rawValue) == 0)
        try empty(worker, fillers)
        #expect(try register(worker, "back", labels: large) == "agent registered")
        #expect(try worker.onLoop { $0.service.registry.count } == 1)
        try worker.stop()
    }
}

// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@testable import SupervisorCore

/// Random events in random order. `FODC_MODEL_EVENTS` says how many, `FODC_MODEL_SEED` which; a seed that fails fails again.
@Suite struct FleetModelTests {
    /// In one life of a service; what goes wrong late in a long one can be followed in no trace.
    private static let eventsALife = 2_000
    private static let eventsBetweenRests = 200

    private func number(_ name: String) -> UInt64? { ProcessEnvironment.value(name).flatMap { UInt64($0) } }

    @Test func fleet_keepsItsInvariants_underRandomEvents() throws {
        let events = Int(number("FODC_MODEL_EVENTS") ?? 1_000_000)
        let seed = number("FODC_MODEL_SEED") ?? UInt64.random(in: 0...UInt64.max)
        print("model of the fleet: \(events) events, FODC_MODEL_SEED=\(seed)")
        var seen: [String: Int] = [:]
        var seeds = SeededNumbers(seed: seed)
        for _ in 0..<max(1, events / Self.eventsALife) {
            let life = seeds.next()
            do {
                seen.merge(try live(life, isTraced: false)) { $0 + $1 }
            } catch {
                // Once more, with a trace.
                let found = Result { try live(life, isTraced: true) }
                Issue.record("FODC_MODEL_SEED=\(seed), life \(life): \(found)")
                return
            }
        }
        print(
            "model of the fleet: \(seen.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))"
        )
        guard events >= 100_000 else { return }
        for what in [
            "exec", "reload done", "reload failed", "scale  done", "restar done", "restar failed", "drain  done",
        ] {
            #expect(seen[what, default: 0] > 0, "the model gets to \(what)")
        }
    }

    private func live(_ seed: UInt64, isTraced: Bool) throws -> [String: Int] {
        var model = FleetModel(seed: seed)
        model.isTraced = isTraced
        for index in 1...Self.eventsALife {
            try model.step()
            if index % Self.eventsBetweenRests == 0 { try model.settle() }
            if model.fleet.isFinished { break }
        }
        return model.seen
    }
}

// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import BlackBox

struct IncidentTrackerTests {
    private static let gone = IncidentTracker.Subject(.nodeGone, "pod-a")
    private static func report(_ cause: String) -> IncidentTracker.Report {
        IncidentTracker.Report(nodeID: 7, podName: "pod-a", role: "ROLE_DATA", cause: cause)
    }

    @Test func incidentTracker_opensAndClosesIncidents() throws {
        var tracker = IncidentTracker()
        guard case .opened(let opened)? = tracker.begin(Self.gone, Self.report("keepalive"), at: 100 * second) else {
            Issue.record("it was not opened")
            return
        }
        #expect(opened.occurrenceCount == 1)
        #expect(opened.closedAtNanoseconds == nil)
        #expect(tracker.isOpen(Self.gone))
        #expect(tracker.openSubjects(of: .nodeGone) == ["pod-a"])
        #expect(tracker.begin(Self.gone, Self.report("again"), at: 101 * second) == nil, "it is known")
        let closed = try #require(tracker.end(Self.gone, at: 130 * second)?.incident)
        #expect(closed.id == opened.id)
        #expect(closed.closedAtNanoseconds == 130 * second)
        #expect(tracker.end(Self.gone, at: 131 * second) == nil, "it has ended")
        #expect(!tracker.isOpen(Self.gone))
    }

    @Test func incidentTracker_countsAFlappingNodeOnce() throws {
        var tracker = IncidentTracker()
        let first = try #require(tracker.begin(Self.gone, Self.report("0"), at: 0)?.incident)
        for time in 1...1000 as ClosedRange<Int64> {
            _ = tracker.end(Self.gone, at: (2 * time - 1) * 60 * second)
            let change = tracker.begin(Self.gone, Self.report("\(time)"), at: 2 * time * 60 * second)
            guard case .updated(let again)? = change else {
                Issue.record("another incident: \(String(describing: change))")
                return
            }
            #expect(again.id == first.id)
            #expect(again.occurrenceCount == Int(time) + 1)
            #expect(again.cause == "\(time)")
        }
        // The samples around its beginning are kept, not a day.
        let last = try #require(tracker.end(Self.gone, at: 2001 * 60 * second)?.incident)
        let pin = IncidentPin(last)
        #expect(pin.fromNanoseconds == -900 * second)
        #expect(pin.untilNanoseconds == 2700 * second)
        // After a pause it is another one.
        guard case .opened(let next)? = tracker.begin(Self.gone, Self.report("new"), at: 2012 * 60 * second) else {
            Issue.record("the pause was not seen")
            return
        }
        #expect(next.id > first.id)
        #expect(next.occurrenceCount == 1)
    }

    @Test func incidentTracker_closesEventsAtOnce() {
        var tracker = IncidentTracker()
        let crash = IncidentTracker.Subject(.crash, "pod-a")
        let first = tracker.happen(crash, Self.report("panic"), at: 5 * second).incident
        #expect(first.closedAtNanoseconds == 5 * second)
        let second = tracker.happen(crash, Self.report("panic"), at: 9 * 1_000_000_000).incident
        #expect(second.id == first.id)
        #expect(second.occurrenceCount == 2)
        #expect(tracker.happen(.init(.crash, "pod-b"), Self.report("x"), at: 9).incident.id != first.id)
        #expect(tracker.happen(.init(.nodeRestarted, "pod-a"), Self.report("x"), at: 9).incident.id != first.id)
    }

    @Test func incidentTracker_continuesAfterARestart() throws {
        var tracker = IncidentTracker(distinction: 5)
        let opened = try #require(tracker.begin(Self.gone, Self.report("x"), at: 100 * second)?.incident)
        var next = IncidentTracker(continuing: [opened], distinction: 9)
        #expect(next.begin(Self.gone, Self.report("x"), at: 105 * second) == nil)
        #expect(next.end(Self.gone, at: 110 * second)?.incident.id == opened.id)
    }

    /// A file may say anything of a predecessor's incident.
    @Test(arguments: [Int64.min, 0, Int64.max])
    func incidentTracker_countsOnFromAnyNumber(lastAt: Int64) throws {
        var stored = IncidentTracker().happened(Self.gone, Self.report("x"), at: lastAt)
        (stored.occurrenceCount, stored.closedAtNanoseconds) = (.max, nil)
        var tracker = IncidentTracker(continuing: [stored])
        let incident = tracker.happen(Self.gone, Self.report("x"), at: 5).incident
        #expect(incident.id == stored.id && incident.occurrenceCount == Incident.mostOccurrences)
    }

    /// The distance of two times may be more than 64 bits hold: it is a pause, and not a short one.
    @Test func incidentTracker_opensAnotherAfterAnyPause() {
        let stored = IncidentTracker().happened(Self.gone, Self.report("x"), at: .min)
        var tracker = IncidentTracker(continuing: [stored])
        #expect(tracker.happen(Self.gone, Self.report("x"), at: 5).incident.id != stored.id)
    }

    @Test func incidentID_sortsByTime() {
        var ids: [String] = []
        for time in stride(from: 0 as Int64, to: 3_000_000_000 * second, by: 31_557_600 * Int(second)) {
            ids.append(
                Incident.id(openedAtNanoseconds: time, distinction: UInt16(truncatingIfNeeded: 0xffff - time % 7)))
        }
        #expect(ids.count > 90)
        #expect(ids == ids.sorted())
        #expect(
            Incident.id(openedAtNanoseconds: 1_796_004_796_123_456_789, distinction: 0xab)
                == "20261130T021316.123Z-00ab")
    }

    /// Events of any kind in any order: one incident of a subject is open at most, counts and times only rise.
    @Test(arguments: 0..<20)
    func incidentTracker_keepsItsInvariants(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var tracker = IncidentTracker()
        var known: [String: Incident] = [:]
        var time: Int64 = 0
        for _ in 0..<2000 {
            // Clocks are set back, too.
            time += Int64(generator.below(400) - 40) * second
            let kind = generator.chance(0.5) ? IncidentKind.nodeGone : .crash
            let subject = IncidentTracker.Subject(kind, "pod-\(generator.below(4))")
            let change: IncidentTracker.Change? =
                if kind == .crash {
                    tracker.happen(subject, Self.report("x"), at: time)
                } else if generator.chance(0.5) {
                    tracker.begin(subject, Self.report("x"), at: time)
                } else {
                    tracker.end(subject, at: time)
                }
            guard let change else { continue }
            let incident = change.incident
            if case .opened = change { #expect(known[incident.id] == nil, "seed \(seed)") }
            if let before = known[incident.id] {
                #expect(incident.occurrenceCount >= before.occurrenceCount, "seed \(seed)")
                #expect(incident.lastAtNanoseconds >= before.lastAtNanoseconds, "seed \(seed)")
                #expect(incident.openedAtNanoseconds == before.openedAtNanoseconds, "seed \(seed)")
            }
            known[incident.id] = incident
            for pod in 0..<4 {
                let open = known.values.filter {
                    $0.kind == .nodeGone && $0.subject == "pod-\(pod)" && $0.closedAtNanoseconds == nil
                }
                #expect(open.count <= 1, "seed \(seed)")
            }
        }
    }

    @Test func incidentTracker_limitsIncidents() {
        var tracker = IncidentTracker()
        for number in 0..<20_000 {
            _ = tracker.happen(.init(.crash, "pod-\(number)"), Self.report("x"), at: Int64(number))
        }
        // The newest are known, the oldest are not.
        #expect(tracker.happen(.init(.crash, "pod-19999"), Self.report("x"), at: 20_000).incident.occurrenceCount == 2)
        #expect(tracker.happen(.init(.crash, "pod-1"), Self.report("x"), at: 20_000).incident.occurrenceCount == 1)
    }
}

extension IncidentTracker {
    /// The incident of one event.
    fileprivate func happened(_ subject: Subject, _ report: Report, at time: Int64) -> Incident {
        var tracker = self
        return tracker.happen(subject, report, at: time).incident
    }
}

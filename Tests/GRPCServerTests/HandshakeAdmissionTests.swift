// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@testable import GRPCServer

/// Expectations cannot change a value that they look at.
private final class Admission {
    private var admission: HandshakeAdmission

    init(_ limits: HandshakeAdmission.Limits) { admission = HandshakeAdmission(limits) }

    var count: Int { admission.count }

    func begin(_ id: UInt64, from source: NetworkSource, nowNanoseconds now: UInt64) -> HandshakeAdmission.Verdict {
        admission.begin(id, from: source, nowNanoseconds: now)
    }

    func end(_ id: UInt64) { admission.end(id) }

    func crowdOut() -> UInt64? { admission.crowdOut() }
}

@Suite struct HandshakeAdmissionTests {
    private static let second: UInt64 = 1_000_000_000

    private func source(_ number: Int) -> NetworkSource { NetworkSource(host: "10.0.\(number / 256).\(number % 256)") }

    @Test func handshakeAdmission_crowdsOutTheOldestOfTheSourceThatHasMost() {
        let admission = Admission(.init(underWay: 4, burst: 100, perSecond: 1))
        #expect(admission.begin(1, from: source(1), nowNanoseconds: 0) == .begin(crowdedOut: nil))
        for id in UInt64(2)...4 {
            #expect(admission.begin(id, from: source(2), nowNanoseconds: 0) == .begin(crowdedOut: nil))
        }
        #expect(admission.begin(5, from: source(2), nowNanoseconds: 0) == .begin(crowdedOut: 2))
        #expect(admission.begin(6, from: source(3), nowNanoseconds: 0) == .begin(crowdedOut: 3))
        #expect(admission.count == 4)
        // One that is over makes room by itself.
        admission.end(4)
        #expect(admission.begin(7, from: source(4), nowNanoseconds: 0) == .begin(crowdedOut: nil))
        // 1, 5, 6, 7: each of a source of its own. The oldest goes, never the newcomer.
        #expect(admission.begin(8, from: source(5), nowNanoseconds: 0) == .begin(crowdedOut: 1))
    }

    @Test func handshakeAdmission_hasRoomForAFleetThatReconnects() {
        for sources in [1, 1000] {
            let admission = Admission(.init())
            for id in UInt64(0)..<1000 {
                let verdict = admission.begin(id, from: source(Int(id) % sources), nowNanoseconds: 0)
                #expect(verdict == .begin(crowdedOut: nil), "agent \(id) of \(sources) addresses")
            }
        }
    }

    @Test func handshakeAdmission_crowdsOutForDescriptorsOnlyWhatIsUnderWay() {
        let admission = Admission(.init())
        #expect(admission.crowdOut() == nil)
        #expect(admission.begin(9, from: source(1), nowNanoseconds: 0) == .begin(crowdedOut: nil))
        #expect(admission.crowdOut() == 9)
        #expect(admission.count == 0)
        admission.end(9)
        #expect(admission.count == 0)
    }

    @Test func handshakeAdmission_refusesASourceThatBeginsTooMany() {
        let admission = Admission(.init(underWay: 100, burst: 3, perSecond: 2))
        func begin(_ id: UInt64, _ from: Int, _ now: UInt64) -> Bool {
            defer { admission.end(id) }
            return admission.begin(id, from: source(from), nowNanoseconds: now) != .refuse
        }
        #expect((1...5).map { begin($0, 1, 0) } == [true, true, true, false, false])
        #expect(begin(6, 2, 0), "another source has its own")
        #expect((7...10).map { begin($0, 1, Self.second) } == [true, true, false, false])
    }

    @Test func handshakeAdmission_remembersABoundedNumberOfSources() {
        let admission = Admission(.init(underWay: 10, burst: 1, perSecond: 0, sources: 100))
        #expect(admission.begin(1, from: source(0), nowNanoseconds: 0) != .refuse)
        for id in UInt64(2)...100 {
            _ = admission.begin(id, from: source(Int(id)), nowNanoseconds: 0)
            admission.end(id)
        }
        // A generation later it is remembered still, and then forgotten.
        #expect(admission.begin(1000, from: source(0), nowNanoseconds: 0) == .refuse)
        for id in UInt64(200)...500 {
            _ = admission.begin(id, from: source(Int(id)), nowNanoseconds: 0)
            admission.end(id)
        }
        #expect(admission.begin(1001, from: source(0), nowNanoseconds: 0) != .refuse)
    }
}

@Suite struct ToldSourcesTests {
    @Test func toldSources_tellsOnceInTenMinutesOfEachSubject() {
        var told = ToldSources()
        func isNew(_ source: NetworkSource, _ subject: String, nowNanoseconds now: UInt64) -> Bool {
            told.isNew(source, subject, nowNanoseconds: now)
        }
        let (one, other) = (NetworkSource(host: "10.0.0.1"), NetworkSource(host: "10.0.0.2"))
        #expect(isNew(one, "identity", nowNanoseconds: 5))
        #expect(!isNew(one, "identity", nowNanoseconds: ToldSources.intervalNanoseconds))
        #expect(isNew(one, "address", nowNanoseconds: 6))
        #expect(isNew(other, "identity", nowNanoseconds: 6))
        #expect(isNew(one, "identity", nowNanoseconds: 5 + ToldSources.intervalNanoseconds))
    }

    @Test func toldSources_isSilentAboutMoreThanItRemembers() {
        var told = ToldSources()
        func isNew(_ source: NetworkSource, _ subject: String, nowNanoseconds now: UInt64) -> Bool {
            told.isNew(source, subject, nowNanoseconds: now)
        }
        for number in 0..<ToldSources.limitSources {
            #expect(isNew(NetworkSource(host: "10.1.\(number / 256).\(number % 256)"), "x", nowNanoseconds: 0))
        }
        let another = NetworkSource(host: "10.2.0.0")
        #expect(!isNew(another, "x", nowNanoseconds: 1))
        #expect(isNew(another, "x", nowNanoseconds: ToldSources.intervalNanoseconds))
    }
}

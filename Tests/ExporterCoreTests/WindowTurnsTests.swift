// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@testable import ExporterCore

/// Windows of several clients: whose turn it is, and whose place another one gets.
@Suite struct WindowTurnsTests {
    private static let (one, two, three) = (
        NetworkSource(host: "10.0.0.1"), NetworkSource(host: "10.0.0.2"), NetworkSource(host: "10.0.0.3")
    )

    private func turns(_ places: [(UInt64, NetworkSource, isWaiting: Bool)]) -> WindowTurns {
        WindowTurns(places.map { WindowTurns.Place(id: $0.0, source: $0.1, isWaiting: $0.isWaiting) })
    }

    @Test func windowTurns_addressWithTheFewestRunningIsNext() {
        #expect(turns([]).next == nil)
        #expect(turns([(7, Self.one, isWaiting: true), (5, Self.one, isWaiting: true)]).next == 5)
        let places: [(UInt64, NetworkSource, isWaiting: Bool)] = [
            (1, Self.one, isWaiting: false), (2, Self.one, isWaiting: true), (3, Self.two, isWaiting: true),
        ]
        #expect(turns(places).next == 3)
        #expect(turns(places + [(4, Self.two, isWaiting: false)]).next == 2)
    }

    @Test func windowTurns_newestOfTheLargestAddressMakesRoomForASmallerOne() {
        let places: [(UInt64, NetworkSource, isWaiting: Bool)] = [
            (1, Self.one, isWaiting: false), (2, Self.one, isWaiting: true), (4, Self.one, isWaiting: true),
            (3, Self.two, isWaiting: true),
        ]
        #expect(turns(places).displaced(by: Self.three) == 4)
        #expect(turns(places).displaced(by: Self.two) == 4)
        #expect(turns(places).displaced(by: Self.one) == nil, "nobody makes room for itself")
        let fair = places.filter { $0.0 != 4 }
        #expect(turns(fair).displaced(by: Self.two) == nil, "with as many each nobody has to go")
        #expect(turns(fair).displaced(by: Self.three) == 2)
    }

    @Test func windowTurns_windowsThatRunKeepTheirPlaces() {
        let running = (1...8).map { (UInt64($0), Self.one, isWaiting: false) }
        #expect(turns(running).displaced(by: Self.two) == nil)
        #expect(turns(running).next == nil && turns(running).waitingCount == 0)
    }
}

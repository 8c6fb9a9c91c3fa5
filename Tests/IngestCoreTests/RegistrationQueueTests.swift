// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import IngestCore

@Suite struct RegistrationQueueTests {
    private typealias Queue = RegistrationQueue<Int>

    @Test func registrationQueue_boundsATurnByNumber() {
        var queue = Queue()
        for number in 0..<1000 { queue.append(number, from: 1) }
        for turn in 0..<3 {
            queue.beginTurn()
            var taken: [Int] = []
            while let next = queue.next() { taken.append(next) }
            #expect(taken == Array((turn * Queue.maximumPerTurn)..<((turn + 1) * Queue.maximumPerTurn)))
        }
        #expect(queue.count == 1000 - 3 * Queue.maximumPerTurn)
    }

    @Test func registrationQueue_boundsATurnByTime() {
        var queue = Queue()
        for number in 0..<10 { queue.append(number, from: 1) }
        #expect(queue.next() == 0)
        queue.spent(nanoseconds: Queue.turnNanoseconds - 1)
        #expect(queue.next() == 1)
        queue.spent(nanoseconds: 1)
        #expect(queue.next() == nil && !queue.hasTurnLeft)
        queue.beginTurn()
        #expect(queue.next() == 2)
    }

    @Test func registrationQueue_rotatesOverConnections() {
        var queue = Queue()
        for number in 0..<5 { queue.append(number, from: 1) }
        queue.append(10, from: 2)
        queue.append(20, from: 3)
        queue.append(11, from: 2)
        var taken: [Int] = []
        while let next = queue.next() { taken.append(next) }
        #expect(taken == [0, 10, 20, 1, 11, 2, 3, 4])
        #expect(queue.isEmpty)
    }

    @Test func registrationQueue_removesQueuedRegistrationsOfAClosedConnection() {
        var queue = Queue()
        for number in 0..<3 { queue.append(number, from: UInt64(number)) }
        _ = queue.next()
        #expect(queue.removeAll() == [1, 2])
        #expect(queue.isEmpty && queue.next() == nil)
    }
}

@Suite struct RegistrationSourcesTests {
    private func origin(_ connection: UInt64, _ source: UInt64 = 7, isLoopback: Bool = false)
        -> RegistrationSources.Origin
    {
        RegistrationSources.Origin(connection: connection, source: source, isLoopback: isLoopback)
    }

    @Test func registrationSources_limitConnectionsAndAddresses() {
        var sources = RegistrationSources(limits: .init(perConnection: 2, perSource: 3, perLoopback: 3))
        for _ in 0..<2 {
            #expect(sources.verdict(origin(1), elsewhere: 0) == .free)
            sources.opened(origin(1))
        }
        #expect(sources.verdict(origin(1), elsewhere: 0) == .connectionIsFull)
        #expect(sources.verdict(origin(2), elsewhere: 0) == .free)
        #expect(sources.verdict(origin(2), elsewhere: 1) == .sourceIsFull)
        sources.opened(origin(2))
        #expect(sources.verdict(origin(3), elsewhere: 0) == .sourceIsFull)
        #expect(sources.verdict(origin(3, 8), elsewhere: 0) == .free)
        sources.closed(origin(1))
        #expect(sources.verdict(origin(1), elsewhere: 0) == .free)
    }

    @Test func registrationSources_defaultToHalfExceptForLoopback() {
        let limits = RegistrationSources.Limits(perConnection: 0, perSource: nil, maxAgents: 5)
        #expect(limits.limit(of: origin(1)) == 3)
        #expect(limits.limit(of: origin(1, isLoopback: true)) == 0)
        let given = RegistrationSources.Limits(perConnection: 0, perSource: 4, maxAgents: 5)
        #expect(given.limit(of: origin(1, isLoopback: true)) == 4)
        var sources = RegistrationSources(limits: limits)
        for _ in 0..<1000 { sources.opened(origin(1, isLoopback: true)) }
        #expect(sources.verdict(origin(1, isLoopback: true), elsewhere: 1000) == .free)
    }
}

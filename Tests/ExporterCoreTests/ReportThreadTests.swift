// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOPosix
import RingMessages
import Testing

@testable import ExporterCore

@Suite struct ReportThreadTests {
    /// Each kind has a thread: what keeps one of them busy holds up nobody else.
    @Test func reportThread_doesNotDelayOtherReports() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { group.shutdownGracefully { _ in } }
        let loop = group.next()
        let gate = DispatchSemaphore(value: 0)
        let done = try loop.submit {
            let busy = try ReportThread(name: "busy", loop: loop, marker: InFlightRecord(.configurationThread))
            let other = try ReportThread(name: "other", loop: loop, marker: InFlightRecord(.topologyThread))
            busy.run({ _ in gate.wait() }, then: { _ in })
            let promise = loop.makePromise(of: Void.self)
            other.run({ _ in }, then: { promise.succeed($0) })
            return promise.futureResult
        }.wait()
        try done.wait()
        gate.signal()
    }
}

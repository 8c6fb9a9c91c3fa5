// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOPosix
import Testing

@testable import ExporterService

@Suite struct ReportThreadTests {
    /// Each kind has a thread: what keeps one of them busy holds up nobody else.
    @Test func noKindWaitsForAnother() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { group.shutdownGracefully { _ in } }
        let loop = group.next()
        let gate = DispatchSemaphore(value: 0)
        let done = try loop.submit {
            let threads = try ReportThreads(loop: loop) { RecordNote($0) }
            threads[.configuration].run({ _ in gate.wait() }, then: { _ in })
            var done = [loop.makeSucceededVoidFuture()]
            for kind in ReportThreads.Kind.allCases where kind != .configuration {
                let promise = loop.makePromise(of: Void.self)
                threads[kind].run({ _ in }, then: { promise.succeed($0) })
                done.append(promise.futureResult)
            }
            return done
        }.wait()
        for future in done { try future.wait() }
        gate.signal()
    }
}

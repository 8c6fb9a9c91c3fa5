// SPDX-License-Identifier: Apache-2.0
import Exchange
import NIOCore
import NIOPosix

/// Parses large messages beside the event loop, one after the other. What waits is bounded in bytes.
final class ParsingThread {
    private let loop: any EventLoop
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let limitBytes: Int
    private(set) var waitingBytes = 0

    /// - Parameter limitBytes: of messages that wait or are being parsed.
    init(loop: any EventLoop, limitBytes: Int) {
        self.loop = loop
        self.limitBytes = limitBytes
    }

    /// Parses a message and hands it back on the loop, in the order of the calls. The thread is begun with the first one:
    /// most workers never need it.
    /// - Returns: false when too much is waiting; then nothing more comes of it.
    func parse(
        _ message: [UInt8], of stream: AgentStream, _ done: @escaping (Result<ParsedMessage, any Error>) -> Void
    ) -> Bool {
        guard waitingBytes + message.count <= limitBytes else { return false }
        waitingBytes += message.count
        pool.start()
        let finish = NIOLoopBound(
            { [weak self] (result: Result<ParsedMessage, any Error>) in
                self?.waitingBytes -= message.count
                done(result)
            }, eventLoop: loop)
        pool.submit { [loop] state in
            // Only a pool that is shut down cancels, and this one lives as long as the process.
            guard case .active = state else { return }
            let result = Result { try ParsedMessage(message.span.bytes, of: stream) }
            loop.execute { finish.value(result) }
        }
        return true
    }
}

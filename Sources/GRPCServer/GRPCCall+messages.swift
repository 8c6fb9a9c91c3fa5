// SPDX-License-Identifier: Apache-2.0
import HTTP2

/// The client's messages, as they come out of the stream's data.
extension GRPCCall: HTTP2StreamDelegate {
    /// Trailers of a request mean nothing in gRPC.
    public func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers, isEnd: Bool) {}

    public func stream(_ stream: HTTP2Stream, received data: RawSpan) {
        connection.session.creditConnection(bytes: data.byteCount)
        receivedBytes &+= UInt64(data.byteCount)
        var offset = 0
        while !isFinished {
            switch assembler.next(in: data, at: &offset, pool: server.pool) {
            case .inPlace(let range):
                server.statistics.messagesReceived += 1
                state.handler?.received(message: data.extracting(range))
            case .assembled(let message):
                leaveBudget()
                server.statistics.messagesReceived += 1
                state.handler?.received(message: message.readableBytesSpan)
                server.pool.give(message)
            case .needsMore:
                return tookIn(data.byteCount)
            case .failed(let status, let refusal):
                if refusal == .messageTooLarge { refuseMessage() }
                return fail(status, refusal)
            }
        }
    }

    /// The handler may have an answer of its own.
    private func refuseMessage() {
        state.handler?.refusedMessage(byteCount: assembler.announcedBytes)
        guard isFinished else { return }
        server.statistics.countRefused(.messageTooLarge)
        connection.refusedCalls += 1
    }

    public func streamReceivedEnd(_ stream: HTTP2Stream) {
        guard !isFinished else { return }
        if assembler.isInMessage {
            fail(GRPCStatus(.internalError, "the stream ended in the middle of a message"), .truncatedMessage)
        } else {
            state.handler?.halfClosed()
        }
    }

    public func stream(_ stream: HTTP2Stream, closed streamEnd: HTTP2StreamEnd) { closed(streamEnd) }
}

// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Clients that have closed their sending side (`nc -N`, `socat`) and read on look like clients that are gone: in both cases
/// a FIN has come. A byte sent to them tells them apart: a socket that is closed answers it with a reset.
///
/// Every answer begins with the same bytes, so these are sent ahead one at a time, at growing distances, while the answer
/// is awaited. A client that reads on gets them in their order and notices nothing.
enum StatusLinePrefix {
    static let text: StaticString = "HTTP/1.1 "
    static var byteCount: Int { text.utf8CodeUnitCount }
    /// Doubled from byte to byte: the nine of them reach beyond the longest wait that any answer has.
    static let firstDelay = TimeAmount.seconds(1)

    static func byte(_ index: Int) -> ByteBuffer {
        var buffer = ByteBuffer(staticString: text)
        buffer.moveReaderIndex(forwardBy: index)
        return buffer.readSlice(length: 1) ?? ByteBuffer()
    }
}

extension HTTPConnection {
    /// Sends the next byte of the answer that is awaited, to learn whether anybody is there.
    func probeClient() {
        guard phase == .answering, isInputClosed, let waiting = exchange, !waiting.hasBegun,
            waiting.probeByteCount < StatusLinePrefix.byteCount
        else { return }
        exchange?.probeByteCount += 1
        write(StatusLinePrefix.byte(waiting.probeByteCount))
        channel.pipeline.syncOperations.flush()
        let delay = StatusLinePrefix.firstDelay * (1 << waiting.probeByteCount)
        channel.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            // By then the next answer may be awaited, which has probes of its own.
            guard let self, exchange?.responder === waiting.responder else { return }
            probeClient()
        }
    }
}

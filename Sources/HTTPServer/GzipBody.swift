// SPDX-License-Identifier: Apache-2.0
import Gzip
import NIOCore

/// Compresses what another producer makes.
public struct GzipBody: HTTPBodyProducer {
    /// Plain bytes that are taken in at most in one call: at 5 ns a byte for making and compressing them some 5 ms.
    private static let sliceInputBytes = 1024 * 1024

    /// The number of bytes that the source is asked for at a time; they stay in the processor's second cache until compressed.
    private static let sourceBytes = 240 * 1024

    private var source: any HTTPBodyProducer
    private let gzip = GzipStream()
    private var plain = ByteBuffer()

    public init(_ source: any HTTPBodyProducer) {
        self.source = source
        plain.reserveCapacity(Self.sourceBytes + HTTPServer.sliceHeadroomBytes)
    }

    public mutating func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        let end = buffer.readableBytes + targetBytes
        var takenBytes = 0
        while takenBytes < Self.sliceInputBytes, buffer.readableBytes < end {
            plain.clear()
            let progress = source.produce(into: &plain, targetBytes: Self.sourceBytes)
            takenBytes += max(1, plain.readableBytes)
            gzip.write(plain.readableBytesSpan, into: &buffer)
            switch progress {
            case .more:
                if plain.readableBytes == 0 { return .more }
            case .done:
                gzip.finish(into: &buffer)
                return .done
            case .waiting, .failed:
                return progress
            }
        }
        return .more
    }
}

/// Ready bytes as a producer.
public struct BytesBody: HTTPBodyProducer {
    private var bytes: ByteBuffer

    public init(_ bytes: ByteBuffer) {
        self.bytes = bytes
    }

    public mutating func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        if var slice = bytes.readSlice(length: min(targetBytes, bytes.readableBytes)) { buffer.writeBuffer(&slice) }
        return bytes.readableBytes == 0 ? .done : .more
    }
}

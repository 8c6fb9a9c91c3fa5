// SPDX-License-Identifier: Apache-2.0
import Gzip
import NIOCore

extension ByteBuffer: GzipOutput {
    public mutating func appendGzip(roomBytes: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: roomBytes, fill)
    }
}

extension GzipStream {
    /// All at once.
    public static func compress(_ bytes: ByteBuffer) -> ByteBuffer {
        let stream = GzipStream()
        var output = ByteBuffer()
        output.reserveCapacity(bytes.readableBytes / 4 + 256)
        stream.write(bytes.readableBytesSpan, into: &output)
        stream.finish(into: &output)
        return output
    }
}

// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore
import TestHooks

/// The bytes of a download as they come.
struct DownloadBody: HTTPBodyProducer {
    let download: Download

    mutating func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        let progress = download.produce(into: &buffer, targetBytes: targetBytes)
        TestHooks.trapOnPoison(inAnswer: buffer.readableBytesSpan)
        return progress
    }
}

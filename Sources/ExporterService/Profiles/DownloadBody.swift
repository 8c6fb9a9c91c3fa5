// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore

/// The bytes of a download as they come.
struct DownloadBody: HTTPBodyProducer {
    let download: Download

    mutating func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        download.produce(into: &buffer, targetBytes: targetBytes)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Standard output and error.
enum StandardStreams {
    static func write(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    static func writeError(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var bytes = bytes
        while !bytes.isEmpty {
            let count = Glibc.write(descriptor, bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            // The reader has gone away (`| head`): no output is needed any more.
            guard count > 0 else { exit(0) }
            bytes.removeFirst(count)
        }
    }
}

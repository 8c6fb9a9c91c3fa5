// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// Standard output and error of the tool.
enum ToolOutput {
    /// - Returns: false when the reader has gone away (`| head`).
    static func write(_ bytes: [UInt8]) -> Bool {
        (try? SmallFile.writeAll(bytes, to: STDOUT_FILENO, name: "standard output")) != nil
    }

    static func write(_ lines: [String]) { _ = write(Array((lines.joined(separator: "\n") + "\n").utf8)) }

    static func writeError(_ text: String) {
        try? SmallFile.writeAll(Array(text.utf8), to: STDERR_FILENO, name: "standard error")
    }
}

/// A failure of the tool, described in one line.
struct BlackBoxToolFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

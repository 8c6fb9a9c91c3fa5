// SPDX-License-Identifier: Apache-2.0

/// Where the answer to a request goes: now, or when the work is done. If the asker has gone, or does not read, what is said
/// goes nowhere; the work is done all the same.
final class ControlReply {
    private let connection: ControlConnection

    init(_ connection: ControlConnection) {
        self.connection = connection
    }

    /// Whether there is still somebody.
    var isOpen: Bool { connection.isOpen && !connection.isFinished }

    /// For standard output.
    func output(_ text: String) { connection.send(.output(Array(text.utf8))) }

    /// For standard error.
    func error(_ text: String) { connection.send(.error(Array(text.utf8))) }

    /// It is done.
    func succeed(_ line: String? = nil) {
        if let line { output(line + "\n") }
        connection.send(.end(exitCode: 0))
    }

    /// It has failed, for this reason.
    func fail(_ reason: String) {
        error("fodc-proxy: \(reason)\n")
        connection.send(.end(exitCode: 1))
    }

    /// To be handed to the program that an exec brings, for ``ControlServer/adoptReply(_:)``; close-on-exec
    /// until that is taken off. `nil`: there is nobody any more, or somebody who has not read what was said so far.
    var descriptor: Int32? { isOpen && connection.isFlushed ? connection.descriptor : nil }
}

// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2

/// The credit of the client of a call, and the memory of a message that has come in part.
extension GRPCCall {
    enum Allowance: Equatable {
        /// It is credited what it has sent.
        case flowing
        /// The service holds the stream (``GRPCCall/isHeld``): so much would have been credited meanwhile.
        case held(owedBytes: Int)
    }
}

extension GRPCCall: UnfinishedMessageHolder {
    func credit(bytes: Int) {
        allow(bytes: bytes)
        connection.scheduleFlush()
    }

    func giveUp() {
        let text = "too many bytes of unfinished messages; this one has the most"
        fail(GRPCStatus(.resourceExhausted, text), .assemblyExhausted)
    }

    private func allow(bytes: Int) {
        switch allowance {
        case .flowing: connection.session.credit(stream, bytes: bytes)
        case .held(let owedBytes): allowance = .held(owedBytes: owedBytes + bytes)
        }
    }

    func setHeld(_ isHeld: Bool) {
        let before = allowance
        allowance = isHeld ? .held(owedBytes: 0) : .flowing
        if let unfinished { server.budget.setHeld(unfinished, isHeld) }
        if case .held(let owedBytes) = before, owedBytes > 0 { credit(bytes: owedBytes) }
    }

    /// A chunk of `count` bytes has been used up: notes what is left unfinished, and lets the client go on.
    func tookIn(_ count: Int) {
        if assembler.isInMessage { hasMessageProgress = true }
        guard assembler.reservedBytes > 0 else { return allow(bytes: count) }
        let message = unfinished ?? UnfinishedMessage(holder: self, connection: connection.assembly)
        unfinished = message
        server.budget.setHeld(message, isHeld)
        server.budget.update(message, bytes: assembler.reservedBytes)
        // The budget may have given this very message up.
        guard !isFinished else { return }
        raiseWindow()
        connection.updateReading()
        if server.budget.mayCredit(message, bytes: count) { allow(bytes: count) }
    }

    private func raiseWindow() {
        let configuration = server.configuration
        guard !hasRaisedWindow, !isHeld, let expected = assembler.expectedBytes,
            expected > configuration.streamWindowBytes,
            !server.budget.isExhausted
        else { return }
        hasRaisedWindow = true
        connection.largeMessages += 1
        connection.session.setWindow(of: stream, bytes: configuration.raisedStreamWindowBytes)
    }

    func leaveBudget() {
        if hasRaisedWindow {
            hasRaisedWindow = false
            connection.largeMessages -= 1
            connection.session.setWindow(of: stream, bytes: server.configuration.streamWindowBytes)
        }
        if let unfinished {
            // The withheld credit is owed: the stream goes on after this message.
            let owed = server.budget.remove(unfinished)
            if owed > 0 { credit(bytes: owed) }
        }
    }

    func dropUnfinished() {
        leaveBudget()
        assembler.drop(into: server.pool)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Platform

/// Finds peers that are frozen while their kernel keeps the connection up. Holds no clock.
struct Keepalive {
    enum Action { case none, ping, dead }

    let idleNanoseconds: UInt64
    let timeoutNanoseconds: UInt64

    private var lastReceivedNanoseconds: UInt64
    private var askedNanoseconds: UInt64?

    init(idleNanoseconds: UInt64, timeoutNanoseconds: UInt64, nowNanoseconds: UInt64) {
        self.idleNanoseconds = idleNanoseconds
        self.timeoutNanoseconds = timeoutNanoseconds
        lastReceivedNanoseconds = nowNanoseconds
    }

    /// Anything at all came from the peer (or it could not be heard, and begins anew).
    mutating func received(nowNanoseconds: UInt64) {
        lastReceivedNanoseconds = nowNanoseconds
        askedNanoseconds = nil
    }

    mutating func check(nowNanoseconds: UInt64) -> Action {
        if let askedNanoseconds {
            return nowNanoseconds.elapsed(since: askedNanoseconds) >= timeoutNanoseconds ? .dead : .none
        }
        guard nowNanoseconds.elapsed(since: lastReceivedNanoseconds) >= idleNanoseconds else { return .none }
        askedNanoseconds = nowNanoseconds
        return .ping
    }
}

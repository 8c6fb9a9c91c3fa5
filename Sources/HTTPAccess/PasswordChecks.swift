// SPDX-License-Identifier: Apache-2.0
import Credentials
import NIOCore
import Platform

/// Decides what happens with a password, and has bcrypt run on a thread of its own: a check takes from milliseconds to seconds.
/// Everything on one event loop.
final class PasswordChecks {
    enum Answer: Equatable {
        case right
        case wrong
        /// The password was not checked, because this source sent wrong ones before. Whole seconds to wait, rounded up.
        case penalty(seconds: UInt64)
        case busy
    }

    /// Checks that wait or run, over all sources: at 70 ms each (the usual cost of 10) the last one waits for a second.
    static let limitChecks = 16
    /// One to run while another waits; more would keep other sources waiting.
    static let limitChecksOfSource = 2
    /// Requests that wait for one check: jobs of one Prometheus that start together.
    static let limitWaiters = 64

    private struct Check {
        let source: NetworkSource
        var waiters: [(Answer) -> Void]
    }

    private let loop: any EventLoop
    private let thread: JobThread
    private var verified = VerifiedPasswords()
    private var penalties = PasswordPenalties()
    private var checks: [VerifiedPasswords.Key: Check] = [:]

    init(loop: any EventLoop, thread: JobThread) {
        self.loop = loop
        self.thread = thread
    }

    /// Passwords for which bcrypt was run.
    private(set) var checkCount: UInt64 = 0

    /// - Parameters:
    ///   - hash: what the password must match.
    ///   - isKnown: false: there is no such user. The same is done, and the answer is `.wrong`, so that nobody learns names by
    ///     how long it takes.
    ///   - whenDone: called at once, or later.
    func check(
        _ password: [UInt8], hash: PasswordHash, isKnown: Bool, source: NetworkSource, now: UInt64,
        _ whenDone: @escaping (Answer) -> Void
    ) {
        let key = verified.key(hash: hash, password: password)
        // One that was right is right, whatever else comes from the same address.
        if isKnown, verified.contains(key) { return whenDone(.right) }
        let delay = penalties.delayNanoseconds(of: source, now: now)
        guard delay == 0 else { return whenDone(.penalty(seconds: (delay + 999_999_999) / 1_000_000_000)) }
        let waiter: (Answer) -> Void = { answer in whenDone(isKnown ? answer : answer == .right ? .wrong : answer) }
        if let running = checks[key] {
            guard running.waiters.count < Self.limitWaiters else { return whenDone(.busy) }
            checks[key]?.waiters.append(waiter)
            return
        }
        let ofSource = checks.values.count { $0.source == source }
        guard checks.count < Self.limitChecks, ofSource < Self.limitChecksOfSource else { return whenDone(.busy) }
        checks[key] = Check(source: source, waiters: [waiter])
        checkCount += 1
        let bound = NIOLoopBound(self, eventLoop: loop)
        thread.run { [loop] in
            let matches = hash.matches(password)
            loop.execute { bound.value.finish(key, matches: matches, isKnown: isKnown) }
        }
    }

    private func finish(_ key: VerifiedPasswords.Key, matches: Bool, isKnown: Bool) {
        guard let check = checks.removeValue(forKey: key) else { return }
        if matches, isKnown {
            verified.insert(key)
            penalties.succeeded(check.source)
        } else {
            penalties.failed(check.source, now: MonotonicClock.nowNanoseconds())
        }
        for waiter in check.waiters { waiter(matches ? .right : .wrong) }
    }
}

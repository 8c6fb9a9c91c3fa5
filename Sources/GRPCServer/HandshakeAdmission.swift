// SPDX-License-Identifier: Apache-2.0
import HTTP2
import Platform

/// Which connections may begin a TLS handshake, and which one goes when there are too many under way. A handshake costs this
/// side half a millisecond of its event loop, and its beginner nothing. A state machine without I/O; times are monotonic.
struct HandshakeAdmission {
    struct Limits: Sendable {
        /// Handshakes under way, 26 KiB each. All of them may have a message waiting in one turn of the event loop: 400 ms at most.
        /// Agents whose machines are busy take up to half a second for their part, and a worker begins 2,000 handshakes a
        /// second: with fewer places a fleet that reconnects would crowd out its own agents, each of which waits for 5 s.
        var underWay = 1024
        /// Of one source: at once, and more each second. A thousand agents behind one address come back twice without a pause;
        /// a flood from there costs a twentieth of a core.
        var burst = 2048
        var perSecond = 100
        /// Sources whose handshakes are counted: two generations of so many.
        var sources = 4096
    }

    enum Verdict: Equatable {
        /// It may begin. `crowdedOut`: that one is to be closed for it.
        case begin(crowdedOut: UInt64?)
        /// Its source has begun too many.
        case refuse
    }

    private struct Handshake {
        let source: NetworkSource
        /// They begin in this order.
        let number: UInt64
    }

    let limits: Limits
    private var underWay: [UInt64: Handshake] = [:]
    private var bySource: [NetworkSource: Int] = [:]
    private var next: UInt64 = 0
    private var rates: [NetworkSource: RateLimit] = [:]
    /// Those that have not begun any since ``rates`` was begun anew.
    private var olderRates: [NetworkSource: RateLimit] = [:]

    init(_ limits: Limits) {
        self.limits = limits
    }

    var count: Int { underWay.count }

    mutating func begin(_ id: UInt64, from source: NetworkSource, nowNanoseconds now: UInt64) -> Verdict {
        guard take(source, now) else { return .refuse }
        underWay[id] = Handshake(source: source, number: next)
        bySource[source, default: 0] += 1
        next += 1
        guard underWay.count > limits.underWay else { return .begin(crowdedOut: nil) }
        let victim = crowdOut(sparing: id)
        return .begin(crowdedOut: victim)
    }

    /// It is over, however that was.
    mutating func end(_ id: UInt64) {
        guard let handshake = underWay.removeValue(forKey: id) else { return }
        let rest = (bySource[handshake.source] ?? 1) - 1
        bySource[handshake.source] = rest > 0 ? rest : nil
    }

    /// Descriptors are short: the one that goes first, if there is one.
    mutating func crowdOut() -> UInt64? { crowdOut(sparing: nil) }

    /// The oldest of the source that has most of them: whoever has one is not disturbed by whoever has many.
    private mutating func crowdOut(sparing spared: UInt64?) -> UInt64? {
        var first: (id: UInt64, ofSource: Int, number: UInt64)?
        for (id, handshake) in underWay where id != spared {
            let ofSource = bySource[handshake.source] ?? 0
            if let first, (first.ofSource, handshake.number) > (ofSource, first.number) { continue }
            first = (id, ofSource, handshake.number)
        }
        guard let first else { return nil }
        end(first.id)
        return first.id
    }

    private mutating func take(_ source: NetworkSource, _ now: UInt64) -> Bool {
        var rate =
            rates[source] ?? olderRates[source] ?? RateLimit(burst: limits.burst, perSecond: limits.perSecond)
        let isAllowed = rate.take(1, nowNanoseconds: now)
        if rates[source] == nil, rates.count >= limits.sources {
            olderRates = rates
            rates = [:]
        }
        rates[source] = rate
        return isAllowed
    }
}

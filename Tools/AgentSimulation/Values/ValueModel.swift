// SPDX-License-Identifier: Apache-2.0

/// How the value of one series goes with time: a pure function of (agent, series, time), so that nothing need be
/// stored to answer for any moment of the past, and a test can compute what an agent sent.
///
/// All components of one histogram or summary share their `key`, hence their number of observations: buckets are
/// cumulative, `+Inf` equals the count, and none of them ever falls.
public struct ValueModel: Sendable, Equatable {
    public enum Course: UInt8, Sendable {
        /// 0 for ever, as most error counters are. Go leaves a zero out of the message, so has such a series no value.
        case zero
        /// `scale` for ever.
        case constant
        /// A whole number that rises by `scale` a second on average.
        case counter
        /// A number with a fraction that rises by `scale` a second on average.
        case fractionalCounter
        /// Whole numbers around `scale`, up and down by the part `detail`.
        case integerGauge
        /// Numbers with two decimals around `scale`, up and down by the part `detail`.
        case decimalGauge
        /// Numbers with all their bits in use around `scale`, up and down by the part `detail`.
        case gauge
        /// The part `detail` (0...1) of the observations, of which there are `scale` a second.
        case bucket
        /// `detail` for each of the observations, of which there are `scale` a second.
        case sum
        /// Around `scale`, slowly changing: a quantile of a summary.
        case quantile
        /// When the hour began, since the epoch: a time that lies a little back, and moves on.
        case lastFullHour
    }

    public var course: Course
    public var scale: Double
    public var detail: Double

    public init(_ course: Course, scale: Double = 0, detail: Double = 0) {
        self.course = course
        self.scale = scale
        self.detail = detail
    }

    /// The moment at which all counters were zero: 2025-01-01T00:00:00Z. Nodes are older than their agents' connections.
    public static let originSeconds: Int64 = 1_735_689_600

    /// - Parameters:
    ///   - key: what tells this series (or histogram) of this agent from all others.
    ///   - seconds: wall clock, since 1970.
    @inlinable
    public func value(key: UInt64, seconds: Int64) -> Double {
        switch course {
        case .zero: 0
        case .constant: scale
        case .counter: Self.observations(scale, key, seconds)
        case .fractionalCounter: Self.elapsed(key, seconds) * scale
        case .integerGauge: max(1, (scale * Self.swing(detail, key, seconds)).rounded(.down))
        case .decimalGauge: max(1, (scale * Self.swing(detail, key, seconds) * 100).rounded(.down)) / 100
        case .gauge: scale * Self.swing(detail, key, seconds)
        case .bucket: max(1, (Self.observations(scale, key, seconds) * detail).rounded(.down))
        case .sum: Self.observations(scale, key, seconds) * detail
        case .quantile: scale * Self.swing(0.5, key, seconds)
        case .lastFullHour: Double(max(1, seconds - seconds % 3600))
        }
    }

    /// Observations so far, a whole number of at least 1.
    @inlinable
    static func observations(_ ratePerSecond: Double, _ key: UInt64, _ seconds: Int64) -> Double {
        1 + (elapsed(key, seconds) * ratePerSecond).rounded(.down)
    }

    /// Seconds since the origin, that pass between half and one and a half times as fast as real ones, in turns of
    /// `turnSeconds`: a counter's rate then goes up and down without the counter ever falling.
    @inlinable
    static func elapsed(_ key: UInt64, _ seconds: Int64) -> Double {
        let shifted = Double(max(1, seconds - originSeconds)) + Double(key & 1023)
        let phase = shifted / turnSeconds
        let part = phase - phase.rounded(.down)
        return shifted + turnSeconds / 2 * part * (1 - part)
    }

    /// A factor around 1, within `part` of it: a slow wave and a little noise.
    @inlinable
    static func swing(_ part: Double, _ key: UInt64, _ seconds: Int64) -> Double {
        let phase = Double(seconds) / turnSeconds + StableHash.fraction(key)
        let position = phase - phase.rounded(.down)
        let wave = 8 * position * (1 - position) - 1  // -1...1
        let noise = StableHash.fraction(StableHash.mix(key ^ UInt64(bitPattern: seconds))) - 0.5
        return 1 + part * (0.8 * wave + 0.3 * noise)
    }

    @usableFromInline
    static let turnSeconds = 600.0
}

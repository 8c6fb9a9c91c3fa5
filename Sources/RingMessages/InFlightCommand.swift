// SPDX-License-Identifier: Apache-2.0
import Rings

/// The last command that an ingest worker has begun to dispatch, in one word of its ring's header: for whoever finds it dead.
public enum InFlightCommand {
    // The word fits an Int: types are small numbers.
    private static let numberBits: UInt64 = 48

    public static func word(_ type: RecordType, number: UInt64) -> UInt64 {
        UInt64(type.rawValue) << numberBits | number & (1 << numberBits - 1)
    }

    /// `collect 1207`; `none` before the first.
    public static func text(_ word: UInt64) -> String {
        guard word != 0 else { return "none" }
        let type = RecordType(rawValue: RecordType.RawValue(truncatingIfNeeded: word >> numberBits))
        return "\(type.name) \(word & (1 << numberBits - 1))"
    }
}

// SPDX-License-Identifier: Apache-2.0

extension RawSpan {
    /// The bytes as an array, for generated code; not for the hot path.
    var copiedBytes: [UInt8] { withUnsafeBytes { Array($0) } }
}

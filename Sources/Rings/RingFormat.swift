// SPDX-License-Identifier: Apache-2.0

/// The format that programs that share rings must agree on.
public enum RingFormat {
    /// Of rings. Programs of different versions cannot read each other's.
    public static var version: UInt64 { RingLayout.version }
    /// Of `control`.
    public static var controlVersion: UInt64 { WorkerTableLayout.versionValue }
}

// SPDX-License-Identifier: Apache-2.0

/// The format that programs that share lanes must agree on.
public enum LaneFormat {
    /// Of lanes. Programs of different versions cannot read each other's.
    public static var version: UInt64 { LaneLayout.version }
    /// Of `control`.
    public static var controlVersion: UInt64 { ControlLayout.versionValue }
}

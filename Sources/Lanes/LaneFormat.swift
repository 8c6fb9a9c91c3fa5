// SPDX-License-Identifier: Apache-2.0

/// What programs that are to share lanes must agree on.
public enum LaneFormat {
    /// Of lanes. Programs of different versions cannot read each other's.
    public static var version: UInt64 { LaneLayout.version }
    /// Of `control`.
    public static var controlVersion: UInt64 { ControlLayout.versionValue }
}

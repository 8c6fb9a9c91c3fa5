// SPDX-License-Identifier: Apache-2.0

/// Where PEM text is: in a file, or inline in the configuration.
public enum PEMSource: Equatable, Sendable {
    /// The path of a file, read anew at each look.
    case file(String)
    case text([UInt8])
}

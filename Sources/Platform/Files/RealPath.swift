// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Paths without symbolic links.
public enum RealPath {
    /// `nil` where nothing is, or it may not be looked at.
    public static func of(_ path: String) -> String? {
        // realpath allocates the text; it is copied before it is freed.
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}

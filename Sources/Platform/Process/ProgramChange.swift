// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// Becoming another program, with the same pid and the same children.
public enum ProgramChange {
    /// Returns only on an error; everything is then as it was. On the main thread only: see ``ChildProcess``.
    ///
    /// - Parameters:
    ///   - arguments: all of argv, the name of the program first.
    ///   - environment: `NAME=value`.
    ///   - keep: descriptors that the new program finds under their numbers. All others must be close-on-exec.
    public static func become(
        path: String, arguments: [String], environment: [String], keep: [Int32]
    ) -> SystemError {
        // The vectors end with nil, as execve wants them, and live until the call has returned.
        var argumentVector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var environmentVector: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer {
            for pointer in argumentVector { free(pointer) }
            for pointer in environmentVector { free(pointer) }
        }
        fodc_process_become(path, &argumentVector, &environmentVector, keep, Int32(keep.count))
        return .last("execve \(path)")
    }
}

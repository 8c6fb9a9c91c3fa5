// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Platform

/// Where a ring is: a path, or a descriptor of a running process as `PID:FD`.
struct RingSource: ExpressibleByArgument {
    let path: String

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, let process = Int32(parts[0]), let descriptor = Int32(parts[1]) {
            guard process > 0, descriptor >= 0 else { return nil }
            path = "/proc/\(process)/fd/\(descriptor)"
        } else {
            path = argument
        }
    }

    /// Opens it for reading only. The caller closes the descriptor.
    func open() throws(RingToolFailure) -> Int32 {
        // A named pipe, taken for a ring by mistake, must not block.
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw RingToolFailure("\(SystemError.last("open \(path)"))") }
        return descriptor
    }
}

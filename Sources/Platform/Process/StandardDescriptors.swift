// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Standard input, output and error.
public enum StandardDescriptors {
    /// Opens `/dev/null` for those of them that are closed, before anything else gets their numbers: log lines would go into
    /// a socket or a ring. To be called first of all in every program.
    public static func ensureOpen() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 && errno == EBADF {
            // open(2) takes the lowest free number, which is this one: those below are open by now.
            _ = open("/dev/null", O_RDWR)
        }
    }
}

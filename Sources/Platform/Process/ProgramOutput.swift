// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Runs a short program to its end and takes what it says. Waits: not for event loops.
public enum ProgramOutput {
    /// More than that is no answer.
    public static let limitBytes = 64 << 10
    /// Between two looks for its end, which comes a moment after that of its output.
    private static let lookAgainMilliseconds: Int32 = 5

    public struct Result: Equatable, Sendable {
        /// Standard output and error, in the order in which they came; cut at ``limitBytes``.
        public let text: String
        /// `nil`: a signal ended it, or it did not end in time and was killed.
        public let exitCode: Int32?
    }

    /// - Parameter arguments: all of argv, the name of the program first.
    public static func run(
        _ path: String, arguments: [String], limitMilliseconds: Int32
    ) throws(SystemError) -> Result {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .last("pipe") }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        // The vector ends with nil, as execve wants it, and lives until the call has returned.
        var argumentVector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer {
            for pointer in argumentVector { free(pointer) }
        }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, nil, &argumentVector, environ)
        close(ends[1])
        guard code == 0 else { throw SystemError(call: path, code: code) }
        let deadline = MonotonicClock.nowNanoseconds() + UInt64(limitMilliseconds) * 1_000_000
        let text = read(ends[0], until: deadline)
        let status = try Self.waitStatus(of: pid, until: deadline)
        let hasExited = status & 0x7F == 0
        return Result(text: text ?? "", exitCode: text != nil && hasExited ? (status >> 8) & 0xFF : nil)
    }

    /// The status of wait(2). A program can close its output and still run: it is killed at the deadline.
    private static func waitStatus(of pid: pid_t, until deadlineNanoseconds: UInt64) throws(SystemError) -> Int32 {
        var status: Int32 = 0
        var isKilled = false
        while true {
            let ended = waitpid(pid, &status, isKilled ? 0 : WNOHANG)
            if ended == pid { return status }
            guard ended == 0 || errno == EINTR else { throw .last("waitpid") }
            if MonotonicClock.nowNanoseconds() >= deadlineNanoseconds {
                kill(pid, SIGKILL)
                isKilled = true
            } else if ended == 0 {
                poll(nil, 0, lookAgainMilliseconds)
            }
        }
    }

    /// All that comes until the end; `nil`: the end did not come in time.
    private static func read(_ descriptor: Int32, until deadlineNanoseconds: UInt64) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let now = MonotonicClock.nowNanoseconds()
            guard now < deadlineNanoseconds else { return nil }
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // Rounded up, so that the last turn waits.
            let ready = poll(&request, 1, Int32(clamping: (deadlineNanoseconds - now) / 1_000_000 + 1))
            guard ready > 0 else { continue }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return String(decoding: bytes.prefix(limitBytes), as: UTF8.self) }
            if bytes.count < limitBytes { bytes += buffer.prefix(count) }
        }
    }
}

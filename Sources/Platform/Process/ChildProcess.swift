// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// A process that this one has started, held by its pidfd: a signal or a wait can never hit another process that was
/// given the same pid later.
public final class ChildProcess {
    /// How a process ended.
    public enum End: Equatable, Sendable {
        case exited(code: Int32)
        case killed(signal: Int32, hasDumpedCore: Bool)
    }

    public let pid: pid_t
    /// Readable when the process has ended; closed with this object.
    public let pidfd: Int32

    /// Starts a program that dies with this process (that is, with the calling thread: call it on the main thread
    /// only), with exactly `descriptors` as its descriptors 3, 4, … and standard input from /dev/null. Returns when
    /// the program has begun to run.
    ///
    /// - Parameters:
    ///   - program: what is executed, as it is, if it can be; else what is called `path` now.
    ///   - arguments: all of argv, the name of the program first.
    ///   - environment: `NAME=value`.
    ///   - output: its standard output and error; `nil`: this process's.
    public init(
        path: String, program: Int32? = nil, arguments: [String], environment: [String], descriptors: [Int32],
        output: Int32? = nil
    ) throws(SystemError) {
        var pid: pid_t = 0
        var pidfd: Int32 = -1
        var step: UnsafePointer<CChar>?
        // The vectors end with nil, as execve wants them, and live until the call has returned.
        var argumentVector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var environmentVector: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer {
            for pointer in argumentVector { free(pointer) }
            for pointer in environmentVector { free(pointer) }
        }
        let code = fodc_process_spawn(
            program ?? -1, path, &argumentVector, &environmentVector, descriptors, Int32(descriptors.count),
            output ?? -1,
            &pid,
            &pidfd,
            &step)
        guard code == 0 else {
            throw SystemError(call: "\(step.map { String(cString: $0) } ?? "spawn") \(path)", code: code)
        }
        self.pid = pid
        self.pidfd = pidfd
    }

    /// One that this process has started before it became another program (``ProgramChange``).
    public init(adopting pid: pid_t, pidfd: Int32) {
        self.pid = pid
        self.pidfd = pidfd
        _ = fcntl(pidfd, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(pidfd) }

    /// `false` if the process has been reaped already.
    @discardableResult
    public func signal(_ number: Int32) -> Bool {
        fodc_process_pidfd_signal(pidfd, number) == 0
    }

    /// The pid of a child of this process that has ended and is not reaped yet, also of one that it has not started itself
    /// (PID 1 inherits orphans); `nil`: no child has ended. Never waits.
    public static func nextEnded() -> pid_t? {
        var pid: pid_t = 0
        return fodc_process_next_ended_child(&pid) == 0 && pid > 0 ? pid : nil
    }

    /// Reaps a child that has ended and that no object of this type stands for. `false`: no child has that pid.
    public static func reapUnknown(_ pid: pid_t) -> Bool {
        fodc_process_reap(pid) == 0
    }

    /// How it ended, once; `nil` while it runs. Never waits.
    public func reap() -> End? {
        var end = fodc_process_end()
        guard fodc_process_pidfd_reap(pidfd, &end) == 0, end.has_ended != 0 else { return nil }
        return end.signal == 0
            ? .exited(code: end.exit_code) : .killed(signal: end.signal, hasDumpedCore: end.has_dumped_core != 0)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Rings

/// The second process of a stress run: this program again, with its descriptors at fixed places.
enum StressProcess {
    static let firstDescriptor: Int32 = 3

    static func start(_ descriptors: [Int32]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (index, descriptor) in descriptors.enumerated() {
            // Out of the way of the places that they go to, so that none is overwritten before it is copied.
            let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 64)
            guard copy >= 0 else { throw SystemError.last("fcntl(F_DUPFD_CLOEXEC)") }
            posix_spawn_file_actions_adddup2(&actions, copy, firstDescriptor + Int32(index))
        }
        let arguments = ["RingStress", "stress-reader"].map { (argument: String) in strdup(argument) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, "/proc/self/exe", &actions, nil, arguments, environ)
        guard code == 0 else { throw SystemError(call: "posix_spawn", code: code) }
        return process
    }

    static func isRunning(_ process: pid_t) -> Bool { ProcessStartTime.ticks(of: process) != nil }

    /// The other one's ring, once it has formatted it.
    static func waitForRing(_ descriptor: Int32, of process: pid_t) throws -> RingReader {
        while true {
            do {
                return try RingReader(descriptor: RingFile.reopenReadOnly(descriptor), kind: .command)
            } catch RingError.notYet {
                guard isRunning(process) else { throw RingStressFailure("the reader did not start") }
                usleep(1000)
            }
        }
    }

    static func wait(for process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }
}

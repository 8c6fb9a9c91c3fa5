// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The system calls that workers may make once they serve. The list has all that they use, as strace showed it;
/// docs/security.md says what follows from it.
///
/// Calls by which a captured process would reach beyond itself end it. Others that are not listed fail with EPERM, because a
/// later C library may try one for convenience and goes on without it.
enum WorkerSystemCalls {
    static let refused = EPERM

    static func rules(for policy: SandboxPolicy) -> [SystemCallRule] {
        let common = always.rules(.allow) + conditional() + ending.rules(.end)
        return switch policy.kind {
        case .ingest:
            common + fileCalls.rules(.end) + openingToWrite + ["unlink", "unlinkat"].rules(.end)
                + (policy.readablePaths.isEmpty ? [] : filesToRead)
        case .exporter:
            common + fileCalls.filter { !triedByReaders.contains($0) }.rules(.end) + spoolFiles
                + (policy.readablePaths.isEmpty ? [] : filesToRead)
        case .recorder:
            common + fileCalls.filter { !databaseFiles.contains($0) }.rules(.end) + databaseFiles.rules(.allow)
        }
    }

    private static let always = [
        // Sockets and descriptors that are there.
        "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "recvfrom", "recvmsg",
        "accept", "accept4", "listen", "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt",
        "close", "dup", "dup2", "dup3", "fcntl", "lseek", "fstat", "newfstatat", "fstatfs", "getdents64",
        "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2",
        "timerfd_create", "timerfd_settime", "timerfd_gettime", "poll", "ppoll", "select", "pselect6",
        // Memory: rings grow in a descriptor that is there.
        "munmap", "mremap", "madvise", "brk", "fallocate", "ftruncate", "mincore",
        // Threads and time.
        "futex", "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "membarrier", "sched_yield",
        "sched_getaffinity", "gettid", "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "clock_gettime",
        "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "getrandom", "getrusage", "times",
        "sysinfo", "uname", "getrlimit",
        // Signals to itself, and the end.
        "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "sigaltstack", "restart_syscall", "exit",
        "exit_group",
    ]

    /// Beyond the process: programs, other processes, the network, the machine.
    private static let ending = [
        "execve", "execveat", "fork", "vfork",
        "socket", "socketpair", "connect", "bind", "sendmsg", "sendmmsg",
        "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_open", "pidfd_getfd",
        "pidfd_send_signal", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "kcmp",
        "memfd_create", "memfd_secret", "userfaultfd", "perf_event_open", "bpf", "io_uring_setup", "io_uring_enter",
        "io_uring_register", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "keyctl", "add_key",
        "request_key", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "capset",
        "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "personality",
    ]

    /// Names in folders.
    private static let fileCalls = [
        "open", "openat2", "creat", "truncate", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
        "symlinkat", "mkdir", "mkdirat", "rmdir", "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "chown", "fchown",
        "lchown", "fchownat", "setxattr", "open_by_handle_at", "name_to_handle_at", "chdir", "fchdir",
    ]

    /// Opening a file to read it fails like any other call: the C library does so now and then to find out how the machine is
    /// set (malloc reads `/proc/sys/vm/overcommit_memory` before it gives memory back).
    private static let openingToWrite = [O_WRONLY, O_RDWR, O_CREAT].map {
        SystemCallRule("openat", .end, .has(2, all: $0))
    }

    /// A file without a name in the spool folder; where a file system cannot make one, a new file that is removed at once.
    private static let spoolFiles = [
        SystemCallRule("openat", .allow, .has(2, all: temporaryFile)),
        SystemCallRule(
            "openat", .allow, .bits(argument: 2, mask: UInt64(newFile | temporaryBit), value: UInt64(newFile))),
        SystemCallRule("unlink", .allow), SystemCallRule("unlinkat", .allow), SystemCallRule("fsync", .allow),
    ]

    /// Which of them may be read is Landlock's to say: a filter does not see names.
    private static let filesToRead = [
        SystemCallRule("openat", .allow, .has(2, noneOf: O_ACCMODE | O_CREAT | O_TRUNC | temporaryBit)),
        // Where a path leads to.
        SystemCallRule("readlink", .allow), SystemCallRule("readlinkat", .allow), SystemCallRule("getcwd", .allow),
        SystemCallRule("stat", .allow), SystemCallRule("lstat", .allow), SystemCallRule("access", .allow),
        SystemCallRule("faccessat", .allow), SystemCallRule("faccessat2", .allow),
    ]

    /// SQLite tries these on the files of a database that it only reads, and goes on when they are refused.
    private static let triedByReaders = ["fchmod", "fchown"]

    /// SQLite's files: the database, its log, its index, and a damaged one that is set aside. Their folders are
    /// Landlock's to say.
    private static let databaseFiles = [
        "open", "openat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "fsync",
        "fdatasync",
        "truncate", "chmod", "fchmod", "fchmodat", "fchown", "access", "faccessat", "faccessat2", "stat", "lstat",
        "readlink",
        "readlinkat", "getcwd", "statfs", "utimensat", "flock",
    ]

    private static let newFile = O_CREAT | O_EXCL
    /// O_TMPFILE, which Glibc's module does not show, is this bit and O_DIRECTORY.
    private static let temporaryBit: Int32 = 0o20000000
    private static let temporaryFile = temporaryBit | O_DIRECTORY

    private static func conditional() -> [SystemCallRule] {
        let ownProcess = getpid()
        let thread: Int32 = 0x0001_0000  // CLONE_THREAD
        return [
            // No code but that of the program.
            SystemCallRule("mmap", .allow, .has(2, noneOf: PROT_EXEC)),
            SystemCallRule("mmap", .end, .has(2, all: PROT_EXEC)),
            SystemCallRule("mprotect", .allow, .has(2, noneOf: PROT_EXEC)),
            SystemCallRule("mprotect", .end, .has(2, all: PROT_EXEC)),
            SystemCallRule("pkey_mprotect", .end),
            // Threads, no processes. A filter cannot look into what clone3 points at: the C library then takes clone.
            SystemCallRule("clone3", .refuse(ENOSYS)),
            SystemCallRule("clone", .allow, .has(0, all: thread)),
            SystemCallRule("clone", .end, .has(0, noneOf: thread)),
            // Along a connection that is there, and to no address: a journal's socket could reach others'.
            SystemCallRule("sendto", .allow, .isNull(4)),
            SystemCallRule("sendto", .end, .isNotNull(4)),
            // abort(3).
            SystemCallRule("tgkill", .allow, .int(0, is: ownProcess)),
            SystemCallRule("tgkill", .end, .notEqual(argument: 0, value: UInt64(UInt32(bitPattern: ownProcess)))),
            // Names of threads and of memory.
            SystemCallRule("prctl", .allow, .int(0, is: 15)),  // PR_SET_NAME
            SystemCallRule("prctl", .allow, .int(0, is: 0x5356_4D41)),  // PR_SET_VMA
            // Asking for its own limits, not setting any.
            SystemCallRule("prlimit64", .allow, .int(0, is: 0), .isNull(2)),
            // A descriptor's own facts: what has the path "".
            SystemCallRule("statx", .allow, .has(2, all: 0x1000)),  // AT_EMPTY_PATH
        ]
    }
}

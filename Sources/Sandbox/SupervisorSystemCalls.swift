// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The system calls that the supervisor, and all that it starts, may not make. The supervisor starts programs of later
/// versions, whose needs it cannot know; so these are the calls that none of them needs, and all others stay allowed.
enum SupervisorSystemCalls {
    /// The errno that tells a process after an exec that these rules are in force, so that reloads do not add them
    /// again and again. No call gives this errno; a change of the list must increment it.
    static let marker = EDOTDOT

    static let rules = names.rules(.refuse(EPERM)) + newNamespaces

    private static let names = [
        // Other processes' memory and descriptors. (Workers that are captured come no further by way of their parent.)
        "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp", "perf_event_open",
        "userfaultfd",
        // Ways around the list of calls.
        "io_uring_setup", "io_uring_enter", "io_uring_register", "bpf",
        // The machine.
        "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount",
        "fspick",
        "mount_setattr", "unshare", "setns", "swapon", "swapoff", "reboot", "kexec_load", "kexec_file_load",
        "init_module", "finit_module", "delete_module", "acct", "quotactl", "quotactl_fd", "iopl", "ioperm",
        "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "syslog",
        "vhangup",
        "keyctl", "add_key", "request_key", "name_to_handle_at", "open_by_handle_at", "fanotify_init", "mknod",
        "mknodat",
        "move_pages", "migrate_pages", "modify_ldt",
    ]

    /// Any of CLONE_NEWUSER, NEWNS, NEWPID, NEWNET, NEWUTS, NEWIPC, NEWCGROUP.
    private static let newNamespaces = [
        0x1000_0000, 0x0002_0000, 0x2000_0000, 0x4000_0000, 0x0400_0000, 0x0800_0000, 0x0200_0000,
    ].map { SystemCallRule("clone", .refuse(EPERM), .has(0, all: $0)) }
}

/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fodc_process_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3 };

/* Steps of the child, told to the parent by number: a pointer would do as well, but numbers can be checked. */
enum step { STEP_PARENT, STEP_SIGNALS, STEP_GROUP, STEP_STDIN, STEP_DESCRIPTORS, STEP_CLOSE, STEP_EXEC, STEP_COUNT };
static const char *const step_names[STEP_COUNT] = {
    "prctl(PR_SET_PDEATHSIG)", "sigprocmask", "setpgid", "/dev/null", "dup2", "close_range", "execve",
};

struct failure {
    int step;
    int code;
};

/* In the child, only async-signal-safe calls are allowed until the exec: the parent may have other threads. */
static void tell_and_exit(int report, int step) {
    struct failure failure = {step, errno};
    ssize_t ignored = write(report, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

/* As the kernel writes an entry of a folder (getdents64(2)); glibc declares it only for its own readdir. */
struct folder_entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* The number that an entry of /proc/self/fd is; -1 for "." and "..". */
static int descriptor_of(const char *name) {
    int number = 0;
    if (*name == 0) return -1;
    for (; *name != 0; name++) {
        if (*name < '0' || *name > '9') return -1;
        number = number * 10 + (*name - '0');
    }
    return number;
}

/* Without /proc: every number that a descriptor may have. */
static int close_numbers_from(int first) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    /* A limit that was lowered leaves descriptors above it, and an unlimited one would take minutes: a million either way. */
    const int end = 1 << 20;
    const int until = limit.rlim_cur < (rlim_t)end && limit.rlim_max < (rlim_t)end ? (int)limit.rlim_max : end;
    for (int number = first; number < until; number++) close(number);
    return 0;
}

/* close_range(first, all) for kernels before 5.9 and seccomp profiles that refuse it, with async-signal-safe calls only. */
static int close_from(int first) {
    if (syscall(SYS_close_range, (unsigned)first, ~0u, 0) == 0) return 0;
    if (errno != ENOSYS && errno != EPERM) return -1;
    int folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return close_numbers_from(first);
    /* Closing an entry while the folder is read may hide another one: read again until there was none to close. */
    _Alignas(struct folder_entry) char entries[4096];
    for (int closed = 1; closed > 0;) {
        closed = 0;
        if (lseek(folder, 0, SEEK_SET) < 0) return -1;
        for (long count; (count = syscall(SYS_getdents64, folder, entries, sizeof entries)) != 0;) {
            if (count < 0) return -1;
            for (long place = 0; place < count;) {
                const struct folder_entry *entry = (const void *)(entries + place);
                place += entry->length;
                int number = descriptor_of(entry->name);
                if (number < first || number == folder) continue;
                close(number);
                closed++;
            }
        }
    }
    return close(folder);
}

static void run_child(int program, const char *path, char *const arguments[], char *const environment[],
                      const int descriptors[], int descriptor_count, int output, pid_t parent, int report) {
    /* First: from here on the kernel kills us when the parent dies; then see whether it has died already. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) tell_and_exit(report, STEP_PARENT);
    if (getppid() != parent) _exit(127);

    /* All signals are blocked until here, so no handler of the parent's runs in the child. */
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL); /* fails for KILL and STOP */
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) != 0) tell_and_exit(report, STEP_SIGNALS);
    if (setpgid(0, 0) != 0) tell_and_exit(report, STEP_GROUP);

    /* Sources may have numbers that are targets of others: first move all of them above the targets. */
    int end = FIRST_DESCRIPTOR + descriptor_count;
    int moved_report = fcntl(report, F_DUPFD_CLOEXEC, end + 2);
    if (moved_report < 0) tell_and_exit(report, STEP_DESCRIPTORS);
    report = moved_report;
    int moved_program = program < 0 ? -1 : fcntl(program, F_DUPFD_CLOEXEC, end + 2);
    if (program >= 0 && moved_program < 0) tell_and_exit(report, STEP_DESCRIPTORS);
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || dup2(input, STDIN_FILENO) < 0) tell_and_exit(report, STEP_STDIN);
    if (fcntl(STDIN_FILENO, F_SETFD, 0) < 0) tell_and_exit(report, STEP_STDIN); /* input may have been 0 itself */
    if (output >= 0 && (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0))
        tell_and_exit(report, STEP_DESCRIPTORS);
    int moved[descriptor_count + 1]; /* + 1: an array of nothing is undefined */
    for (int i = 0; i < descriptor_count; i++) {
        moved[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, end + 2);
        if (moved[i] < 0) tell_and_exit(report, STEP_DESCRIPTORS);
    }
    for (int i = 0; i < descriptor_count; i++)
        if (dup2(moved[i], FIRST_DESCRIPTOR + i) < 0) tell_and_exit(report, STEP_DESCRIPTORS);
    /* The program's own descriptor may be one of the targets; the moved one is above them all. */
    if (dup3(report, end, O_CLOEXEC) < 0) tell_and_exit(report, STEP_DESCRIPTORS);
    report = end;
    if (moved_program >= 0 && dup3(moved_program, end + 1, O_CLOEXEC) < 0) tell_and_exit(report, STEP_DESCRIPTORS);
    if (close_from(end + (moved_program >= 0 ? 2 : 1)) != 0) tell_and_exit(report, STEP_CLOSE);

    if (moved_program >= 0) syscall(SYS_execveat, end + 1, "", arguments, environment, AT_EMPTY_PATH);
    execve(path, arguments, environment);
    tell_and_exit(report, STEP_EXEC);
}

/* Reads the child's report: nothing when its exec has closed the pipe. */
static ssize_t read_report(int descriptor, struct failure *failure) {
    ssize_t count;
    do count = read(descriptor, failure, sizeof *failure);
    while (count < 0 && errno == EINTR);
    return count;
}

static int fail(int code, const char *step_name, const char **step) {
    *step = step_name;
    return code;
}

int fodc_process_spawn(int program, const char *path, char *const arguments[], char *const environment[],
                       const int descriptors[], int descriptor_count, int output, pid_t *pid, int *pidfd,
                       const char **step) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return fail(errno, "pipe2", step);

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) run_child(program, path, arguments, environment, descriptors, descriptor_count, output, parent,
                              report[1]);
    int fork_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (child < 0) {
        close(report[0]);
        return fail(fork_error, "fork", step);
    }

    struct failure failure = {0, 0};
    ssize_t count = read_report(report[0], &failure);
    close(report[0]);
    int code = 0;
    if (count != 0) {
        int known = count == (ssize_t)sizeof failure && failure.step >= 0 && failure.step < STEP_COUNT;
        code = fail(known && failure.code != 0 ? failure.code : EIO, known ? step_names[failure.step] : "fork", step);
    } else {
        *pidfd = (int)syscall(SYS_pidfd_open, child, 0);
        if (*pidfd < 0) code = fail(errno, "pidfd_open", step);
    }
    if (code != 0) {
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
        return code;
    }
    *pid = child;
    return 0;
}

static void set_close_on_exec(const int descriptors[], int count, int on) {
    for (int i = 0; i < count; i++) {
        int flags = fcntl(descriptors[i], F_GETFD);
        if (flags >= 0) fcntl(descriptors[i], F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC);
    }
}

void fodc_process_become(const char *path, char *const arguments[], char *const environment[], const int keep[],
                         int keep_count) {
    set_close_on_exec(keep, keep_count, 0);
    execve(path, arguments, environment);
    int code = errno;
    set_close_on_exec(keep, keep_count, 1);
    errno = code;
}

void fodc_process_set_name(const char *name) { prctl(PR_SET_NAME, name); }

char *const *fodc_process_environment(void) { return environ; }

int fodc_process_processor_count(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

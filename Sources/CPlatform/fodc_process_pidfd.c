/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fodc_process_pidfd.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int fodc_process_pidfd_signal(int pidfd, int signal_number) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0);
}

int fodc_process_pidfd_reap(int pidfd, struct fodc_process_end *end) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    memset(end, 0, sizeof *end);
    int result;
    do result = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
    while (result != 0 && errno == EINTR);
    if (result != 0) return -1;
    if (info.si_pid == 0) return 0;
    end->has_ended = 1;
    if (info.si_code == CLD_EXITED) {
        end->exit_code = info.si_status;
    } else {
        end->signal = info.si_status;
        end->has_dumped_core = info.si_code == CLD_DUMPED;
    }
    return 0;
}

int fodc_process_next_ended_child(pid_t *pid) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result;
    do result = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
    while (result != 0 && errno == EINTR);
    if (result != 0) return -1;
    *pid = info.si_pid;
    return 0;
}

int fodc_process_descriptor_limit(uint64_t *limit) {
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now) != 0) return -1;
    *limit = now.rlim_cur == RLIM_INFINITY ? UINT64_MAX : now.rlim_cur;
    return 0;
}

long fodc_process_count_entries(int folder) {
    struct stat status;
    if (fstat(folder, &status) != 0) return -1;
    if (status.st_size > 0) return (long)status.st_size;
    if (lseek(folder, 0, SEEK_SET) < 0) return -1;
    /* As getdents64(2) writes entries: the length of one stands in the bytes 16 and 17. */
    _Alignas(uint64_t) unsigned char entries[4096];
    long found = 0;
    for (long count; (count = syscall(SYS_getdents64, folder, entries, sizeof entries)) != 0;) {
        if (count < 0) return -1;
        for (long place = 0; place < count;) {
            unsigned short length;
            memcpy(&length, entries + place + 16, sizeof length);
            place += length;
            found++;
        }
    }
    return found - 2;
}

int fodc_process_reap(pid_t pid) {
    pid_t result;
    do result = waitpid(pid, NULL, WNOHANG);
    while (result < 0 && errno == EINTR);
    return result == pid ? 0 : -1;
}

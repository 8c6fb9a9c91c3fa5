/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fodc_process_pidfd.h"

#include <errno.h>
#include <signal.h>
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

int fodc_process_descriptor_limit(pid_t pid, uint64_t *limit) {
    struct rlimit now;
    if (prlimit(pid, RLIMIT_NOFILE, NULL, &now) != 0) return -1;
    *limit = now.rlim_cur == RLIM_INFINITY ? UINT64_MAX : now.rlim_cur;
    return 0;
}

int fodc_process_reap(pid_t pid) {
    pid_t result;
    do result = waitpid(pid, NULL, WNOHANG);
    while (result < 0 && errno == EINTR);
    return result == pid ? 0 : -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FODC_PROCESS_PIDFD_H
#define FODC_PROCESS_PIDFD_H

#include <stdint.h>
#include <sys/types.h>

/* Sends a signal to the process of a pidfd. 0, or -1 with errno. */
int fodc_process_pidfd_signal(int pidfd, int signal_number);

/* How a child ended. */
struct fodc_process_end {
    int has_ended;   /* 0: it still runs, the rest is 0 */
    int exit_code;   /* when it exited by itself */
    int signal;      /* the signal that killed it, else 0 */
    int has_dumped_core;
};

/* Reaps the child of a pidfd if it has ended; never waits. 0, or -1 with errno. */
int fodc_process_pidfd_reap(int pidfd, struct fodc_process_end *end);

/*
 * The pid of a child that has ended and is not reaped yet, without reaping it, or 0 when no child has ended. Which of
 * several is unspecified. Never waits. Returns 0, or -1 with errno set (ECHILD: there are no children at all).
 */
int fodc_process_next_ended_child(pid_t *pid);

/* This process's soft RLIMIT_NOFILE; RLIM_INFINITY is UINT64_MAX. Returns 0, or -1 with errno. */
int fodc_process_descriptor_limit(uint64_t *limit);

/*
 * How many entries the folder of a descriptor has, without "." and ".."; what kernels before 6.2 do not say of /proc/PID/fd is
 * counted. Returns -1 with errno. For one thread at a time.
 */
long fodc_process_count_entries(int folder);

/* Reaps a child that has ended, whatever it was. Never waits. Returns 0, or -1 if there is no such one. */
int fodc_process_reap(pid_t pid);

#endif

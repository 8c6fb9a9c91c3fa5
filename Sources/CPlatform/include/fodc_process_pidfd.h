/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FODC_PROCESS_PIDFD_H
#define FODC_PROCESS_PIDFD_H

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

#endif

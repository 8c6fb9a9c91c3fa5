/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FODC_PROCESS_EVENTS_H
#define FODC_PROCESS_EVENTS_H

#include <stdint.h>

/*
 * epoll, timerfd and signalfd, which Swift's Glibc module does not show. All descriptors are close-on-exec;
 * all functions return -1 with errno when they fail.
 */

int fodc_process_epoll_create(void);

/* Watches a descriptor for input (level-triggered); token comes back from the wait. */
int fodc_process_epoll_add(int epoll, int descriptor, uint64_t token);
int fodc_process_epoll_remove(int epoll, int descriptor);

/* Waits and writes up to capacity tokens of readable descriptors; returns how many. 0 also after a signal. */
int fodc_process_epoll_wait(int epoll, uint64_t *tokens, int capacity, int timeout_milliseconds);

/* A monotonic timer that becomes readable every interval; nonblocking. */
int fodc_process_timer_create(uint64_t interval_nanoseconds);

/* Blocks the signals for this thread and the threads it will make, and gives a nonblocking descriptor to read them from. */
int fodc_process_signals_create(const int *signal_numbers, int count);

/* The next signal's number; 0 if none is waiting. */
int fodc_process_signals_next(int signals);

/* Ignores a signal in this process (a macro of C that Swift cannot always take). */
void fodc_process_ignore_signal(int signal_number);

/* Ignores what would end this process and tells it nothing: SIGUSR1, SIGUSR2, the timers' signals, the real-time ones. */
void fodc_process_ignore_meaningless_signals(void);

/* Gives it its default effect, whatever was inherited. */
void fodc_process_default_signal(int signal_number);

#endif

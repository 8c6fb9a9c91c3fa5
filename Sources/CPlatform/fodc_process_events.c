/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fodc_process_events.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

int fodc_process_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int fodc_process_epoll_add(int epoll, int descriptor, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = token};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

int fodc_process_epoll_remove(int epoll, int descriptor) { return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL); }

int fodc_process_epoll_wait(int epoll, uint64_t *tokens, int capacity, int timeout_milliseconds) {
    enum { MOST_EVENTS = 64 };
    struct epoll_event events[MOST_EVENTS];
    if (capacity > MOST_EVENTS) capacity = MOST_EVENTS;
    int count = epoll_wait(epoll, events, capacity, timeout_milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -1;
    for (int i = 0; i < count; i++) tokens[i] = events[i].data.u64;
    return count;
}

int fodc_process_timer_create(uint64_t interval_nanoseconds) {
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer < 0) return -1;
    struct timespec interval = {(time_t)(interval_nanoseconds / 1000000000), (long)(interval_nanoseconds % 1000000000)};
    struct itimerspec both = {.it_interval = interval, .it_value = interval};
    if (timerfd_settime(timer, 0, &both, NULL) == 0) return timer;
    int code = errno;
    close(timer);
    errno = code;
    return -1;
}

int fodc_process_signals_create(const int *signal_numbers, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signal_numbers[i]);
    int code = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (code != 0) {
        errno = code;
        return -1;
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int fodc_process_signals_next(int signals) {
    struct signalfd_siginfo info;
    ssize_t count = read(signals, &info, sizeof info);
    return count == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

void fodc_process_ignore_signal(int signal_number) { signal(signal_number, SIG_IGN); }

void fodc_process_ignore_meaningless_signals(void) {
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGPOLL, SIGPWR, SIGSTKFLT};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) signal(numbers[i], SIG_IGN);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) signal(number, SIG_IGN);
}

void fodc_process_default_signal(int signal_number) { signal(signal_number, SIG_DFL); }

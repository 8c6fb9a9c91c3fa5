/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FODC_SANDBOX_FILTER_H
#define FODC_SANDBOX_FILTER_H

#include <stddef.h>
#include <stdint.h>

/* What a filter does with a system call. */
enum fodc_sandbox_action {
    FODC_SANDBOX_ALLOW,
    /* It fails with an errno. */
    FODC_SANDBOX_REFUSE,
    /* SIGSYS: see fodc_sandbox_report_violations. */
    FODC_SANDBOX_TRAP,
};

/* A condition on one argument: (argument & mask) == value, or != value. */
struct fodc_sandbox_condition {
    unsigned argument;
    int is_equal;
    uint64_t mask;
    uint64_t value;
};

enum { FODC_SANDBOX_MOST_CONDITIONS = 2 };

/* A rule holds when all its conditions hold. */
struct fodc_sandbox_rule {
    int system_call;
    enum fodc_sandbox_action action;
    /* Of FODC_SANDBOX_REFUSE. */
    int refused;
    unsigned condition_count;
    struct fodc_sandbox_condition conditions[FODC_SANDBOX_MOST_CONDITIONS];
};

/* The number of a system call on this machine, or -1 when it has none of this name. */
int fodc_sandbox_system_call(const char *name);

/* Its name, or null. Valid until the next call; for one thread. */
const char *fodc_sandbox_system_call_name(int system_call);

/*
 * Puts a seccomp filter on all threads of this process, for good. Calls without a rule that holds are allowed, or, where
 * `refused` is not 0, fail with that errno. `marker` is what fodc_sandbox_marker() finds in this process and its children
 * from now on; 0: nothing. Returns 0 or an errno.
 */
int fodc_sandbox_load(const struct fodc_sandbox_rule rules[], int count, int refused, int marker);

/* The marker of a filter that is in force here, or 0. */
int fodc_sandbox_marker(void);

/*
 * Installs the handler of trapped system calls. It sends `message`, with the call's number in its last four bytes
 * (little-endian), through the socket, and ends the process by SIGSYS. Returns 0 or an errno.
 */
int fodc_sandbox_report_violations(int socket, const uint8_t message[], size_t byte_count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fodc_sandbox_filter.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The tidiest form of a filter: a tree over the numbers instead of a list. */
enum { OPTIMIZE_AS_TREE = 2 };

int fodc_sandbox_system_call(const char *name) {
    int number = seccomp_syscall_resolve_name(name);
    /* Numbers below zero are the library's own: calls that this machine does not have. */
    return number < 0 ? -1 : number;
}

const char *fodc_sandbox_system_call_name(int system_call) {
    static char name[64];
    char *found = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, system_call);
    if (found == NULL) return NULL;
    strncpy(name, found, sizeof name - 1);
    free(found);
    return name;
}

static uint32_t action_of(enum fodc_sandbox_action action, int refused) {
    switch (action) {
        case FODC_SANDBOX_ALLOW: return SCMP_ACT_ALLOW;
        case FODC_SANDBOX_REFUSE: return SCMP_ACT_ERRNO((unsigned)refused);
        case FODC_SANDBOX_TRAP: return SCMP_ACT_TRAP;
    }
    return SCMP_ACT_KILL_PROCESS;
}

static int add_rule(scmp_filter_ctx context, const struct fodc_sandbox_rule *rule) {
    struct scmp_arg_cmp conditions[FODC_SANDBOX_MOST_CONDITIONS];
    if (rule->condition_count > FODC_SANDBOX_MOST_CONDITIONS) return -EINVAL;
    for (unsigned i = 0; i < rule->condition_count; i++) {
        const struct fodc_sandbox_condition *given = &rule->conditions[i];
        conditions[i].arg = given->argument;
        if (given->is_equal) {
            conditions[i].op = SCMP_CMP_MASKED_EQ;
            conditions[i].datum_a = given->mask;
            conditions[i].datum_b = given->value;
        } else {
            conditions[i].op = SCMP_CMP_NE;
            conditions[i].datum_a = given->value;
            conditions[i].datum_b = 0;
        }
    }
    return seccomp_rule_add_array(context, action_of(rule->action, rule->refused), rule->system_call, rule->condition_count,
                                  conditions);
}

int fodc_sandbox_load(const struct fodc_sandbox_rule rules[], int count, int refused, int marker) {
    uint32_t standard = action_of(refused == 0 ? FODC_SANDBOX_ALLOW : FODC_SANDBOX_REFUSE, refused);
    scmp_filter_ctx context = seccomp_init(standard);
    if (context == NULL) return ENOMEM;
    int result = seccomp_attr_set(context, SCMP_FLTATR_CTL_TSYNC, 1);
    /* A filter would switch on the mitigation of Spectre 4, which slows everything down, in kernels before 5.16. */
    if (result == 0) result = seccomp_attr_set(context, SCMP_FLTATR_CTL_SSB, 1);
    if (result == 0) result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_AS_TREE);
    /* Errors of the kernel as it says them. */
    if (result == 0) result = seccomp_attr_set(context, SCMP_FLTATR_API_SYSRAWRC, 1);
    for (int i = 0; result == 0 && i < count; i++) {
        /* What is done anyway needs no rule, and the library takes none. */
        if (rules[i].condition_count == 0 && action_of(rules[i].action, rules[i].refused) == standard) continue;
        result = add_rule(context, &rules[i]);
    }
#ifdef __NR_lookup_dcookie
    if (result == 0 && marker != 0)
        result = seccomp_rule_add_array(context, SCMP_ACT_ERRNO((unsigned)marker), __NR_lookup_dcookie, 0, NULL);
#endif
    if (result == 0) result = seccomp_load(context);
    seccomp_release(context);
    return -result;
}

int fodc_sandbox_marker(void) {
#ifdef __NR_lookup_dcookie
    /* A call that no kernel has any more (6.7) and that no program made: its errno is free for us. */
    if (syscall(__NR_lookup_dcookie, 0, 0, 0) == -1 && errno != ENOSYS && errno != EPERM && errno != EINVAL) return errno;
#endif
    return 0;
}

static struct {
    int socket;
    size_t byte_count;
    uint8_t message[32];
} report;

/* In a signal handler: async-signal-safe calls alone. */
static void violated(int signal_number, siginfo_t *info, void *context) {
    (void)context;
    uint32_t number = (uint32_t)info->si_syscall;
    uint8_t *place = report.message + report.byte_count - sizeof number;
    for (size_t i = 0; i < sizeof number; i++) place[i] = (uint8_t)(number >> (8 * i));
    /* The supervisor never waits for anybody, so neither does this. */
    (void)!send(report.socket, report.message, report.byte_count, MSG_NOSIGNAL | MSG_DONTWAIT);
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(signal_number, &standard, NULL);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal_number);
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal_number);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    _exit(128 + SIGSYS);
}

int fodc_sandbox_report_violations(int socket, const uint8_t message[], size_t byte_count) {
    if (byte_count < sizeof(uint32_t) || byte_count > sizeof report.message) return EINVAL;
    report.socket = socket;
    report.byte_count = byte_count;
    memcpy(report.message, message, byte_count);
    struct sigaction action = {.sa_sigaction = violated, .sa_flags = SA_SIGINFO};
    return sigaction(SIGSYS, &action, NULL) == 0 ? 0 : errno;
}

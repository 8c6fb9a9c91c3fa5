/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fodc_sandbox_privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int fodc_sandbox_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno; }

uint64_t fodc_sandbox_supervisor_capabilities(void) {
    /* It signals workers of another user and changes to that user; it opens ports below 1024, and folders of that user, also at a
     * reload. SETPCAP: workers give up their bounding set. */
    return 1ull << CAP_KILL | 1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_SETPCAP |
           1ull << CAP_NET_BIND_SERVICE | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER | 1ull << CAP_CHOWN;
}

static uint64_t joined(const struct __user_cap_data_struct data[2], size_t offset) {
    uint32_t low, high;
    memcpy(&low, (const char *)&data[0] + offset, sizeof low);
    memcpy(&high, (const char *)&data[1] + offset, sizeof high);
    return (uint64_t)high << 32 | low;
}

int fodc_sandbox_keep_capabilities(uint64_t keep) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &header, data) != 0) return errno;
    uint64_t permitted = joined(data, offsetof(struct __user_cap_data_struct, permitted));
    uint64_t inheritable = joined(data, offsetof(struct __user_cap_data_struct, inheritable));
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    /* Without the right to do so the bounding set stays, of which nobody without capabilities and with no_new_privs gets any. */
    if (permitted & 1ull << CAP_SETPCAP)
        for (int number = 0; number < 64; number++)
            if (!(keep & 1ull << number) && prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1)
                prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
    if ((permitted & ~keep) == 0 && inheritable == 0) return 0;
    uint64_t left = permitted & keep;
    for (int half = 0; half < 2; half++) {
        data[half].permitted = data[half].effective = (uint32_t)(left >> (32 * half));
        data[half].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

int fodc_sandbox_become_user(uid_t user, gid_t group) {
    pid_t parent = getppid();
    if (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0) return errno;
    /* A change of user takes it away. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    return getppid() == parent ? 0 : ESRCH;
}

int fodc_sandbox_find_user(const char *name, uid_t *user, gid_t *group) {
    struct passwd *entry = getpwnam(name);
    if (entry == NULL) return -1;
    *user = entry->pw_uid;
    *group = entry->pw_gid;
    return 0;
}

int fodc_sandbox_set_core_dumps(int is_wanted, int is_final) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) != 0) return errno;
    limit.rlim_cur = is_wanted ? limit.rlim_max : 0;
    if (!is_wanted && is_final) limit.rlim_max = 0;
    /* A sandbox around this one may forbid to set limits; then what follows has to do. */
    int code = setrlimit(RLIMIT_CORE, &limit) == 0 ? 0 : errno;
    if (prctl(PR_SET_DUMPABLE, is_wanted ? 1 : 0, 0, 0, 0) != 0) return errno;
    return is_wanted ? code : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FODC_SANDBOX_PRIVILEGES_H
#define FODC_SANDBOX_PRIVILEGES_H

#include <stdint.h>
#include <sys/types.h>

/* Nothing that is executed from now on gets rights that this process does not have. Returns 0 or an errno. */
int fodc_sandbox_no_new_privileges(void);

/* Capabilities of a supervisor that was started as root, as bits. */
uint64_t fodc_sandbox_supervisor_capabilities(void);

/*
 * Leaves this thread, and what it starts, no capabilities but those of `keep`. Call it before there are other threads.
 * Returns 0, also when there was nothing to take, or an errno.
 */
int fodc_sandbox_keep_capabilities(uint64_t keep);

/*
 * Becomes another user for good: real, effective and saved, with its own group alone. The parent's death still ends this
 * process. Returns 0 or an errno.
 */
int fodc_sandbox_become_user(uid_t user, gid_t group);

/* The user of this name, for a program that is started by root. 0, or -1 if no such user exists. */
int fodc_sandbox_find_user(const char *name, uid_t *user, gid_t *group);

/*
 * Whether the process may leave a core and be looked into by others of its user (PR_SET_DUMPABLE). With `is_final` a process
 * that may not cannot raise its limit again. Returns 0 or an errno.
 */
int fodc_sandbox_set_core_dumps(int is_wanted, int is_final);

#endif

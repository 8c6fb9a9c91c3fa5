/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FODC_SANDBOX_LANDLOCK_H
#define FODC_SANDBOX_LANDLOCK_H

/* The version of Landlock that this kernel has (landlock(7)), or 0 with errno: it has none, or it is switched off. */
int fodc_sandbox_landlock_version(void);

/*
 * Begins a set of rules. A process that enters it loses all that Landlock can take: files, connecting and binding TCP
 * sockets, sockets with abstract names and signals beyond the process, and the memory of other processes. Descriptors that
 * are open stay as they are. Returns a descriptor, or -1 with errno.
 */
int fodc_sandbox_landlock_begin(void);

/*
 * Lets a file or what is below a folder be read, and with `is_writable` also be made, written and removed. One that is not
 * there, or that this user may not see, is left out. Returns 0 or an errno.
 */
int fodc_sandbox_landlock_allow(int rules, const char *path, int is_writable);

/*
 * Enters the rules, for the calling thread and what it starts: call it before there are other threads, and after
 * fodc_sandbox_no_new_privileges(). Closes `rules`. Returns 0 or an errno.
 */
int fodc_sandbox_landlock_enter(int rules);

#endif

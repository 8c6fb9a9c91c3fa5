/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FODC_PROCESS_SPAWN_H
#define FODC_PROCESS_SPAWN_H

#include <sys/types.h>

/*
 * Starts a program that dies with this process, with exactly the descriptors it is given.
 *
 * Standard input of the new process is /dev/null, standard output and error are `output`, or this process's where that is
 * negative, and descriptors[i] is its descriptor 3 + i; nothing else is open. Its signals are as a fresh process has them, none blocked; it is the
 * leader of its own process group, so that a terminal's Ctrl-C reaches this process alone.
 *
 * The program is that of the descriptor `program`, whatever it is called by now, or where that is negative, or may not be
 * executed, that of `path`.
 *
 * The child is killed when the *thread* that called this ends (PR_SET_PDEATHSIG): call it on the main thread only.
 *
 * Returns 0, with the child's pid in *pid and a pidfd (close-on-exec) in *pidfd, after the program has begun to run;
 * else an errno, with the step that failed in *step (a static string), and no child is left.
 */
int fodc_process_spawn(int program, const char *path, char *const arguments[], char *const environment[],
                       const int descriptors[], int descriptor_count, int output, pid_t *pid, int *pidfd,
                       const char **step);

/*
 * Becomes another program, with the same pid and children; for the main thread, which has started those. `keep` are
 * the descriptors that stay open over it. Returns only on an error, with errno set and everything as it was.
 */
void fodc_process_become(const char *path, char *const arguments[], char *const environment[], const int keep[],
                         int keep_count);

/* What the system calls the calling thread, and with it, if it is the first, the process: the first 15 bytes. */
void fodc_process_set_name(const char *name);

/* This process's environment, as execve takes it. Not to be changed or kept. */
char *const *fodc_process_environment(void);

/* How many CPUs the scheduler may put this process on; 0 if the kernel does not say. */
int fodc_process_processor_count(void);

#endif

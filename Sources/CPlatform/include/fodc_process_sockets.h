/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FODC_PROCESS_SOCKETS_H
#define FODC_PROCESS_SOCKETS_H

#include <stddef.h>
#include <sys/types.h>

/* Most descriptors that one message may carry. */
enum { FODC_PROCESS_MOST_DESCRIPTORS = 16 };

/*
 * Sends one message with descriptors (SCM_RIGHTS) on a unix socket; never raises SIGPIPE. The number of bytes sent, or
 * -1 with errno (EINVAL: too many descriptors, or descriptors without a byte to carry them).
 */
ssize_t fodc_process_send_message(int socket, const void *bytes, size_t byte_count, const int *descriptors,
                                  int descriptor_count);

/*
 * Receives one message; the descriptors that came with it are close-on-exec. At most
 * FODC_PROCESS_MOST_DESCRIPTORS are written to descriptors and counted. A message that was cut (EMSGSIZE) is an error,
 * and its descriptors are closed. 0 is the end: the other side has closed. -1 with errno otherwise.
 */
ssize_t fodc_process_receive_message(int socket, void *bytes, size_t capacity, int *descriptors, int *descriptor_count);

/* accept4: the next connection of a listening socket, nonblocking and close-on-exec; -1 with errno. */
int fodc_process_accept(int listener);

/* Who had the other end of a unix socket when it connected (SO_PEERCRED). 0, or -1 with errno. */
int fodc_process_peer(int socket, uid_t *user, pid_t *process);

#endif

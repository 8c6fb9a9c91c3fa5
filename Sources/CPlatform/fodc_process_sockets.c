/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fodc_process_sockets.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Space for the descriptors, aligned as a control message header must be. */
union control {
    char bytes[CMSG_SPACE(sizeof(int) * FODC_PROCESS_MOST_DESCRIPTORS)];
    struct cmsghdr alignment;
};

ssize_t fodc_process_send_message(int socket, const void *bytes, size_t byte_count, const int *descriptors,
                                  int descriptor_count) {
    if (descriptor_count < 0 || descriptor_count > FODC_PROCESS_MOST_DESCRIPTORS ||
        (descriptor_count > 0 && byte_count == 0)) {
        errno = EINVAL;
        return -1;
    }
    ssize_t count;
    if (descriptor_count == 0) {
        /* What a worker's sandbox allows: sendmsg could name an address where the filter does not see it. */
        do count = send(socket, bytes, byte_count, MSG_NOSIGNAL);
        while (count < 0 && errno == EINTR);
        return count;
    }
    union control control;
    struct iovec part = {(void *)bytes, byte_count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    size_t size = sizeof(int) * (size_t)descriptor_count;
    memset(&control, 0, sizeof control);
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), descriptors, size);
    do count = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    return count;
}

ssize_t fodc_process_receive_message(int socket, void *bytes, size_t capacity, int *descriptors, int *descriptor_count) {
    union control control;
    struct iovec part = {bytes, capacity};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t count;
    *descriptor_count = 0;
    do count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count < 0) return -1;
    int received = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t size = header->cmsg_len - CMSG_LEN(0);
        /* The control buffer holds no more than the most, so neither does the sum. */
        memcpy(descriptors + received, CMSG_DATA(header), size);
        received += (int)(size / sizeof(int));
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (int i = 0; i < received; i++) close(descriptors[i]);
        errno = EMSGSIZE;
        return -1;
    }
    *descriptor_count = received;
    return count;
}

int fodc_process_accept(int listener) {
    int connection;
    do connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (connection < 0 && errno == EINTR);
    return connection;
}

int fodc_process_peer(int socket, uid_t *user, pid_t *process) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -1;
    *user = credentials.uid;
    *process = credentials.pid;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fodc_test_deeds.h"

#ifdef FODC_TEST_HOOKS
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 64 };

static int open_file(const char *path, int flags) {
    int descriptor = open(path, flags | O_CLOEXEC, 0600);
    if (descriptor < 0) return errno;
    close(descriptor);
    return 0;
}

static int read_file(const char *argument) { return open_file(argument, O_RDONLY); }
static int write_file(const char *argument) { return open_file(argument, O_WRONLY | O_CREAT); }

static int connect_to(const char *argument) {
    int socket_descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_descriptor < 0) return errno;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argument)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int code = connect(socket_descriptor, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    close(socket_descriptor);
    return code;
}

static int reach_control(const char *argument) {
    int socket_descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_descriptor < 0) return errno;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argument, sizeof address.sun_path - 1);
    int code = connect(socket_descriptor, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    close(socket_descriptor);
    return code;
}

static int execute(const char *argument) {
    char *arguments[] = {(char *)argument, NULL};
    execve(argument, arguments, environ);
    return errno;
}

static int start_process(const char *argument) {
    (void)argument;
    pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) _exit(0);
    waitpid(child, NULL, 0);
    return 0;
}

/* The stack of this thread is an address that the supervisor hardly has; EFAULT would say that the right was there. */
static int write_memory(const char *argument) {
    (void)argument;
    char byte = 0;
    struct iovec own = {&byte, 1}, other = {&byte, 1};
    if (process_vm_writev(getppid(), &own, 1, &other, 1, 0) >= 0 || errno == EFAULT) return 0;
    return errno;
}

static int open_memory(const char *argument) {
    (void)argument;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", getppid());
    return open_file(path, O_RDWR);
}

/* A ring of which this process has a descriptor for reading, once more for writing. */
static int reopen_ring(const char *argument) {
    (void)argument;
    int code = ENOENT;
    for (int number = 3; number < MOST_DESCRIPTORS; number++) {
        char path[64];
        if ((fcntl(number, F_GETFL) & O_ACCMODE) != O_RDONLY || fcntl(number, F_GET_SEALS) < 0) continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", number);
        code = open_file(path, O_RDWR);
        if (code == 0) return 0;
    }
    return code;
}

static int take_ring(const char *argument) {
    (void)argument;
    int refused = ENOENT;
    for (int number = 3; number < MOST_DESCRIPTORS; number++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/fd/%d", getppid(), number);
        int code = open_file(path, O_RDWR);
        if (code == 0) return 0;
        /* A number that nothing is open under says nothing. */
        if (code != ENOENT) refused = code;
    }
    return refused;
}

static int trace(const char *argument) {
    (void)argument;
    if (ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) != 0) return errno;
    ptrace(PTRACE_DETACH, getppid(), NULL, NULL);
    return 0;
}

static int signal_parent(const char *argument) {
    (void)argument;
    return kill(getppid(), 0) == 0 ? 0 : errno;
}

static int map_code(const char *argument) {
    (void)argument;
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return errno;
    munmap(memory, 4096);
    return 0;
}

int fodc_test_deed(const char *name, const char *argument) {
    static const struct {
        const char *name;
        int (*act)(const char *argument);
    } deeds[] = {
        {"read-file", read_file},       {"write-file", write_file},     {"connect", connect_to},
        {"control", reach_control},     {"exec", execute},              {"fork", start_process},
        {"write-memory", write_memory}, {"open-memory", open_memory},   {"reopen-ring", reopen_ring},
        {"take-ring", take_ring},       {"trace", trace},               {"signal", signal_parent},
        {"map-code", map_code},
    };
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
        if (strcmp(deeds[i].name, name) == 0) return deeds[i].act(argument);
    return -1;
}
#endif

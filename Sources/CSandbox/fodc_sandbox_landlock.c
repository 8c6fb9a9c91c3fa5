/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fodc_sandbox_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers and structures of linux/landlock.h, whose version in Debian 12 knows less than kernels do. */
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule 445
#define __NR_landlock_restrict_self 446
#endif

enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_REG = 1 << 8,
    FS_REFER = 1 << 13,
    FS_TRUNCATE = 1 << 14,
    FS_IOCTL_DEV = 1 << 15,
    /* Everything that version 1 knows: up to MAKE_SYM, bit 12. */
    FS_ALL_OF_VERSION_1 = (1 << 13) - 1,
};
enum { NET_BIND_TCP = 1 << 0, NET_CONNECT_TCP = 1 << 1 };
enum { SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0, SCOPE_SIGNAL = 1 << 1 };

struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

struct path_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

int fodc_sandbox_landlock_version(void) {
    long version = syscall(__NR_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

static uint64_t handled_files(int version) {
    uint64_t all = FS_ALL_OF_VERSION_1;
    if (version >= 2) all |= FS_REFER;
    if (version >= 3) all |= FS_TRUNCATE;
    if (version >= 5) all |= FS_IOCTL_DEV;
    return all;
}

int fodc_sandbox_landlock_begin(void) {
    int version = fodc_sandbox_landlock_version();
    if (version == 0) return -1;
    struct ruleset attributes = {.handled_access_fs = handled_files(version)};
    size_t size = sizeof attributes.handled_access_fs;
    if (version >= 4) {
        attributes.handled_access_net = NET_BIND_TCP | NET_CONNECT_TCP;
        size += sizeof attributes.handled_access_net;
    }
    if (version >= 6) {
        attributes.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
        size += sizeof attributes.scoped;
    }
    return (int)syscall(__NR_landlock_create_ruleset, &attributes, size, 0);
}

int fodc_sandbox_landlock_allow(int rules, const char *path, int is_writable) {
    int descriptor = open(path, O_PATH | O_CLOEXEC);
    if (descriptor < 0) return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : errno;
    struct stat status;
    int code = fstat(descriptor, &status) == 0 ? 0 : errno;
    if (code == 0) {
        uint64_t access = FS_READ_FILE;
        if (is_writable) access |= FS_WRITE_FILE | FS_TRUNCATE;
        if (S_ISDIR(status.st_mode)) {
            access |= FS_READ_DIR;
            if (is_writable) access |= FS_MAKE_REG | FS_REMOVE_FILE;
        }
        struct path_beneath rule = {
            .allowed_access = access & handled_files(fodc_sandbox_landlock_version()), .parent_fd = descriptor};
        if (syscall(__NR_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0) != 0) code = errno;
    }
    close(descriptor);
    return code;
}

int fodc_sandbox_landlock_enter(int rules) {
    int code = syscall(__NR_landlock_restrict_self, rules, 0) == 0 ? 0 : errno;
    close(rules);
    return code;
}

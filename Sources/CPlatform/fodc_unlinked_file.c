// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "fodc_unlinked_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int fodc_unlinked_file_open(const char *folder) { return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); }

int fodc_unlinked_file_open_by_name(const char *folder) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/fodc-spool-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor < 0) return -1;
    if (unlink(path) < 0) {
        int cause = errno;
        close(descriptor);
        errno = cause;
        return -1;
    }
    return descriptor;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "fodc_memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

int fodc_memory_file_create(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }

int fodc_memory_file_seal_size(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

int fodc_memory_file_has_sealed_size(int descriptor) {
    const int wanted = F_SEAL_SHRINK | F_SEAL_GROW;
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & wanted) == wanted;
}

int fodc_memory_file_allocate(int descriptor, int64_t offset, int64_t count) {
    int result;
    do {
        result = fallocate(descriptor, 0, offset, count);
    } while (result < 0 && errno == EINTR);
    return result;
}

int fodc_memory_file_punch(int descriptor, int64_t offset, int64_t count) {
    int result;
    do {
        result = fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
    } while (result < 0 && errno == EINTR);
    return result;
}

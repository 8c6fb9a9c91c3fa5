// SPDX-License-Identifier: Apache-2.0
#ifndef FODC_MEMORY_FILE_H
#define FODC_MEMORY_FILE_H

#include <stdint.h>

// Calls on memory files that `import Glibc` does not show. All return -1 and set errno on failure, as the calls they wrap.

/// memfd_create with MFD_CLOEXEC and MFD_ALLOW_SEALING.
int fodc_memory_file_create(const char *name);

/// F_ADD_SEALS with F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_SEAL: the size is final, so that no mapping of it can lose its
/// pages (SIGBUS) by the size being changed.
int fodc_memory_file_seal_size(int descriptor);

/// 1 when the file's size is sealed both ways, else 0.
int fodc_memory_file_has_sealed_size(int descriptor);

/// fallocate: the pages exist afterwards (or ENOMEM, ENOSPC). Repeats after EINTR.
int fodc_memory_file_allocate(int descriptor, int64_t offset, int64_t count);

/// FALLOC_FL_PUNCH_HOLE: the pages are gone and read as zeros. Repeats after EINTR.
int fodc_memory_file_punch(int descriptor, int64_t offset, int64_t count);

#endif

// SPDX-License-Identifier: Apache-2.0
// Memory that was freed and is still the process's own.
#ifndef FODC_MEMORY_FREED_H
#define FODC_MEMORY_FREED_H

#include <stddef.h>

// Swift's view of glibc hides mallinfo2(3) and malloc_trim(3).
size_t fodc_memory_freed_bytes(void);
void fodc_memory_freed_give_back(void);

#endif

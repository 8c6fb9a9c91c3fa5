// SPDX-License-Identifier: Apache-2.0
#include "fodc_memory_freed.h"

#include <malloc.h>

size_t fodc_memory_freed_bytes(void) { return mallinfo2().fordblks; }

void fodc_memory_freed_give_back(void) { malloc_trim(0); }

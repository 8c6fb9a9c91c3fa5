// SPDX-License-Identifier: Apache-2.0
#include "fodc_memory_freed.h"

#include <malloc.h>

void fodc_memory_freed_give_back(void) { malloc_trim(0); }

// SPDX-License-Identifier: Apache-2.0
// Memory that was freed and is still the process's own.
#ifndef FODC_MEMORY_FREED_H
#define FODC_MEMORY_FREED_H

// malloc_trim(3) of everything, which Swift's view of glibc hides.
void fodc_memory_freed_give_back(void);

#endif

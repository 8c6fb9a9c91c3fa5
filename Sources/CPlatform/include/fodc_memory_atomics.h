// SPDX-License-Identifier: Apache-2.0
#ifndef FODC_MEMORY_ATOMICS_H
#define FODC_MEMORY_ATOMICS_H

#include <stdint.h>

// Atomic access to 64-bit words of a mapping that two processes share.
//
// Swift's `Atomic` owns its storage; a word at an offset of a mapping belongs to nobody, and its other user is another
// process. These are the compiler's own builtins on a naturally aligned word: lock-free on every 64-bit processor, so
// they need no state beside the word and mean the same in both processes.

_Static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0), "64-bit atomics must be lock-free to be shared");

static inline uint64_t fodc_word_load_relaxed(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }

static inline uint64_t fodc_word_load_acquire(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

static inline void fodc_word_store_relaxed(uint64_t *word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline void fodc_word_store_release(uint64_t *word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline void fodc_fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }

static inline void fodc_fence_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }

static inline void fodc_fence_sequential(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

#endif

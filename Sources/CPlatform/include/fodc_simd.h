// SPDX-License-Identifier: Apache-2.0
//
// AES rounds and byte masks on vectors, by value: what Swift's SIMD types cannot say. Nothing here touches memory.
// Inlines into Swift code that is compiled with `-Xcc -maes -Xcc -msse4.2`; elsewhere, on ARM too, callers use their
// portable path, because `fodc_processor_has_aes` is 0.
#pragma once

typedef unsigned long long fodc_word2 __attribute__((vector_size(16)));

#if defined(__x86_64__) && defined(__AES__) && defined(__SSE4_2__)
#include <nmmintrin.h>
#include <wmmintrin.h>

/// Does this processor have the instructions that the functions below are made of?
static inline int fodc_processor_has_aes(void) {
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.2");
}

/// One AES encryption round: ShiftRows, SubBytes, MixColumns, then xor with `key`.
static inline fodc_word2 fodc_aes_round(fodc_word2 value, fodc_word2 key) {
    return (fodc_word2)_mm_aesenc_si128((__m128i)value, (__m128i)key);
}

/// Keeps byte i of `value` where `first + i < count`, zeroes the others. `count` and `first` are 0...64.
static inline fodc_word2 fodc_keep_below(fodc_word2 value, int first, int count) {
    const __m128i places = _mm_add_epi8(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                        _mm_set1_epi8((char)first));
    return (fodc_word2)_mm_and_si128((__m128i)value, _mm_cmpgt_epi8(_mm_set1_epi8((char)count), places));
}

#else

static inline int fodc_processor_has_aes(void) { return 0; }
// Never called, because the processor is asked first; declared so that Swift code compiles the same everywhere.
static inline fodc_word2 fodc_aes_round(fodc_word2 value, fodc_word2 key) { return value ^ key; }
static inline fodc_word2 fodc_keep_below(fodc_word2 value, int first, int count) { return value; }
#endif

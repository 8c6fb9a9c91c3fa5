// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "fodc_memory_crc32c.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

// The reflected form of the Castagnoli polynomial 0x1EDC6F41.
#define FODC_CRC32C_POLYNOMIAL 0x82F63B78u

// Eight tables: table k gives the effect of a byte that k more bytes follow, so that eight bytes need no chain of eight.
static uint32_t tables[8][256];
static uint32_t (*chosen)(uint32_t, const void *, size_t);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint64_t load_word(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint32_t by_tables(uint32_t crc, const void *start, size_t count) {
    const unsigned char *bytes = start;
    crc = ~crc;
    // Both architectures that we run on are little-endian; the word's low byte is the first one.
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word = load_word(bytes) ^ crc;
        crc = tables[7][word & 0xff] ^ tables[6][(word >> 8) & 0xff] ^ tables[5][(word >> 16) & 0xff] ^
              tables[4][(word >> 24) & 0xff] ^ tables[3][(word >> 32) & 0xff] ^ tables[2][(word >> 40) & 0xff] ^
              tables[1][(word >> 48) & 0xff] ^ tables[0][word >> 56];
    }
    for (; count > 0; ++bytes, --count) {
        crc = tables[0][(crc ^ *bytes) & 0xff] ^ (crc >> 8);
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const void *start, size_t count) {
    const unsigned char *bytes = start;
    uint64_t state = (uint32_t)~crc;
    for (; count >= 8; bytes += 8, count -= 8) {
        state = _mm_crc32_u64(state, load_word(bytes));
    }
    crc = (uint32_t)state;
    for (; count > 0; ++bytes, --count) {
        crc = _mm_crc32_u8(crc, *bytes);
    }
    return ~crc;
}

static int has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__)
__attribute__((target("crc"))) static uint32_t by_instruction(uint32_t crc, const void *start, size_t count) {
    const unsigned char *bytes = start;
    crc = ~crc;
    for (; count >= 8; bytes += 8, count -= 8) {
        crc = __crc32cd(crc, load_word(bytes));
    }
    for (; count > 0; ++bytes, --count) {
        crc = __crc32cb(crc, *bytes);
    }
    return ~crc;
}

static int has_instruction(void) { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }
#else
#define by_instruction by_tables
static int has_instruction(void) { return 0; }
#endif

static void prepare(void) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1) ? FODC_CRC32C_POLYNOMIAL : 0);
        }
        tables[0][byte] = crc;
    }
    for (int following = 1; following < 8; ++following) {
        for (uint32_t byte = 0; byte < 256; ++byte) {
            uint32_t before = tables[following - 1][byte];
            tables[following][byte] = tables[0][before & 0xff] ^ (before >> 8);
        }
    }
    chosen = has_instruction() ? by_instruction : by_tables;
}

uint32_t fodc_crc32c(uint32_t crc, const void *bytes, size_t count) {
    pthread_once(&once, prepare);
    return chosen(crc, bytes, count);
}

uint32_t fodc_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
    pthread_once(&once, prepare);
    return by_tables(crc, bytes, count);
}

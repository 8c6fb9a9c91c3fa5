// SPDX-License-Identifier: Apache-2.0
#ifndef FODC_MEMORY_CRC32C_H
#define FODC_MEMORY_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720 B.4) of `count` bytes, going on from `crc`, the CRC of what came before (0 at first).
/// By the processor's instruction where it has one, else by tables; chosen once.
uint32_t fodc_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The table-driven path by itself, so that tests can hold the two against each other.
uint32_t fodc_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

#endif

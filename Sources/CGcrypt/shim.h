// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gcrypt.h>

// Initializes the library; call it before any other function of the library. It is written in C because the library's
// settings go through a variadic function, which Swift cannot call. Locked memory is disabled because it is for private
// keys, and this process has no private keys.
static inline void fodc_gcrypt_prepare(void) {
    gcry_check_version(0);
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

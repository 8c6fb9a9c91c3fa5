// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gcrypt.h>

// What the library wants before anything else of it is called. Its settings go through a variadic function, which Swift cannot call.
// Locked memory is for private keys, and there are none here.
static inline void fodc_gcrypt_prepare(void) {
    gcry_check_version(0);
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

// SPDX-License-Identifier: Apache-2.0
#include "fodc_revision.h"

const char *fodc_revision(void) {
    return FODC_REVISION_TEXT;
}

// SPDX-License-Identifier: Apache-2.0
#ifndef FODC_REVISION_H
#define FODC_REVISION_H

/// The commit that this program was built from (`FODC_REVISION` at build time), else "unknown".
const char *fodc_revision(void);

#endif

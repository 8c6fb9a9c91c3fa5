// SPDX-License-Identifier: Apache-2.0
#ifndef FODC_CHART_LIBRARY_H
#define FODC_CHART_LIBRARY_H

#include <stddef.h>

// dygraphs, as Debian's package libjs-dygraphs has it: the pages draw their charts with it. It is in the program, because
// the programs are single files, and in no file of this repository.

// The bytes of a part.
size_t fodc_chart_script_bytes(void);
size_t fodc_chart_style_bytes(void);

// Copies a part to `into`, which has room for as many bytes.
void fodc_copy_chart_script(unsigned char *into);
void fodc_copy_chart_style(unsigned char *into);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "fodc_chart_library.h"

#include <string.h>

// `make deps` installs the package that has these files.
#define FODC_EMBED(name, path) \
    __asm__(".pushsection .rodata\n" \
            ".local fodc_" name "_begin\n" \
            "fodc_" name "_begin:\n" \
            ".incbin \"" path "\"\n" \
            ".local fodc_" name "_end\n" \
            "fodc_" name "_end:\n" \
            ".byte 0\n" \
            ".popsection\n")

FODC_EMBED("chart_script", "/usr/share/javascript/dygraphs/dygraph.min.js");
FODC_EMBED("chart_style", "/usr/share/javascript/dygraphs/dygraph.min.css");

extern const unsigned char fodc_chart_script_begin[], fodc_chart_script_end[];
extern const unsigned char fodc_chart_style_begin[], fodc_chart_style_end[];

size_t fodc_chart_script_bytes(void) { return (size_t)(fodc_chart_script_end - fodc_chart_script_begin); }
size_t fodc_chart_style_bytes(void) { return (size_t)(fodc_chart_style_end - fodc_chart_style_begin); }

void fodc_copy_chart_script(unsigned char *into) {
    memcpy(into, fodc_chart_script_begin, fodc_chart_script_bytes());
}

void fodc_copy_chart_style(unsigned char *into) {
    memcpy(into, fodc_chart_style_begin, fodc_chart_style_bytes());
}

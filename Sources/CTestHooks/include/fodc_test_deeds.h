/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FODC_TEST_DEEDS_H
#define FODC_TEST_DEEDS_H

/*
 * Does what a captured worker would do: the deed of that name (fodc_test_deeds.c). `argument` is a path or a port. Returns 0 when it
 * was done, an errno when it was refused, -1 for no such deed. Only debug builds have it.
 */
int fodc_test_deed(const char *name, const char *argument);

#endif

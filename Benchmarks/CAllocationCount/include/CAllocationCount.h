// SPDX-License-Identifier: Apache-2.0
#ifndef C_ALLOCATION_COUNT_H
#define C_ALLOCATION_COUNT_H

/// How often this program has asked for memory since it started: calls of malloc and its kind, the Swift runtime's among
/// them.
unsigned long allocation_count(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FODC_NAME_LOOKUP_H
#define FODC_NAME_LOOKUP_H

struct addrinfo;

/* None of getaddrinfo's codes, which are negative. */
#define FODC_NAME_LOOKUP_LATE 1

/* getaddrinfo(3) that gives up: returns its code, or FODC_NAME_LOOKUP_LATE without an answer within `limit_milliseconds`.
   The resolver may then still be at it in a thread of its own, for which a few hundred bytes stay allocated. Of `hints`
   flags, family, type and protocol count. The list is the caller's, for freeaddrinfo(3). */
int fodc_name_lookup(
    const char *host, const char *port, const struct addrinfo *hints, int limit_milliseconds, struct addrinfo **list);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fodc_name_lookup.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the resolver's thread uses, perhaps for longer than the caller waits. */
struct lookup {
    struct gaicb item;
    struct addrinfo hints;
    char *host, *port;
};

static void release(struct lookup *lookup) {
    free(lookup->host);
    free(lookup->port);
    free(lookup);
}

static long long now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int fodc_name_lookup(
    const char *host, const char *port, const struct addrinfo *hints, int limit_milliseconds, struct addrinfo **list) {
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) return EAI_MEMORY;
    lookup->hints.ai_flags = hints->ai_flags;
    lookup->hints.ai_family = hints->ai_family;
    lookup->hints.ai_socktype = hints->ai_socktype;
    lookup->hints.ai_protocol = hints->ai_protocol;
    lookup->host = strdup(host);
    lookup->port = strdup(port);
    if (lookup->host == NULL || lookup->port == NULL) {
        release(lookup);
        return EAI_MEMORY;
    }
    lookup->item.ar_name = lookup->host;
    lookup->item.ar_service = lookup->port;
    lookup->item.ar_request = &lookup->hints;
    struct gaicb *items[] = {&lookup->item};
    int code = getaddrinfo_a(GAI_NOWAIT, items, 1, NULL);
    if (code != 0) {
        release(lookup);
        return code;
    }
    const long long deadline = now_milliseconds() + limit_milliseconds;
    while ((code = gai_error(&lookup->item)) == EAI_INPROGRESS) {
        const long long left = deadline - now_milliseconds();
        if (left <= 0) {
            /* Only one that has not begun can be taken back. */
            if (gai_cancel(&lookup->item) == EAI_CANCELED) release(lookup);
            return FODC_NAME_LOOKUP_LATE;
        }
        const struct timespec pause = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        gai_suspend((const struct gaicb *const *)items, 1, &pause);
    }
    *list = code == 0 ? lookup->item.ar_result : NULL;
    release(lookup);
    return code;
}

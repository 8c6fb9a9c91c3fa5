# SPDX-License-Identifier: Apache-2.0
"""A wall clock that a test sets, for the proxy's processes alone: a library that is loaded before the C library."""
import os
import pathlib
import struct
import subprocess

_SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long step(void) {
    static volatile long long *at;
    static long long none;
    if (!at) {
        const char *path = getenv("WALL_CLOCK_STEP");
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        at = &none;
        if (file >= 0) {
            void *mapped = mmap(0, sizeof none, PROT_READ, MAP_SHARED, file, 0);
            if (mapped != MAP_FAILED) at = mapped;
            close(file);
        }
    }
    return *at;
}

/* Before the process closes files to itself. */
__attribute__((constructor)) static void begin(void) { step(); }

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += step();
    return result;
}

int gettimeofday(struct timeval *time, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
"""


class WallClock:
    """Goes right until it is set."""

    def __init__(self, folder: pathlib.Path):
        source, self._library, self._step = folder / "clock.c", folder / "clock.so", folder / "clock-step"
        source.write_text(_SOURCE)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self._library, source], check=True)
        self._step.write_bytes(struct.pack("<q", 0))

    @property
    def env(self) -> dict:
        """Of the processes that look at it."""
        return {"LD_PRELOAD": str(self._library), "WALL_CLOCK_STEP": str(self._step)}

    def set(self, seconds: int):
        """So far from the machine's own."""
        with open(self._step, "r+b", buffering=0) as file:
            os.pwrite(file.fileno(), struct.pack("<q", seconds), 0)

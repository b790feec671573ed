/* SPDX-License-Identifier: MIT */
/* What the victims of I/O have in common: a file to work on, and rows for calls by function.
 *
 * A row's metric is LAYER.CALL.KEY: sums of KEY over the report's I/O sites of that layer and kernel call whose place
 * is the function named. */
#ifndef HEAPWISE_TESTS_IO_VICTIM_H
#define HEAPWISE_TESTS_IO_VICTIM_H

#include "victim.h"

/* n calls of the layer and name, at this function, that moved so many bytes. */
__attribute__((unused)) static void expect_io(const char *function, const char *call, uint64_t n,
                                              uint64_t n_bytes)
{
    char metric[32];
    snprintf(metric, sizeof metric, "%s.calls", call);
    expect(function, metric, n);
    snprintf(metric, sizeof metric, "%s.bytes", call);
    expect(function, metric, n_bytes);
}

/* The name of a file in the folder that the test gives, /tmp without one. Two at most at a time. */
__attribute__((unused)) static const char *io_path(const char *name)
{
    static char paths[2][512];
    static int which;
    const char *const folder = getenv("VICTIM_FOLDER");
    which = !which;
    snprintf(paths[which], sizeof paths[which], "%s/%s", folder ? folder : "/tmp", name);
    return paths[which];
}

/* A new empty file, open for both. */
__attribute__((unused)) static int io_file(const char *name)
{
    const int fd = open(io_path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        _exit(98);
    return fd;
}

/* What must be so for the counts to be right. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            dprintf(2, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                             \
            _exit(97);                                                                             \
        }                                                                                          \
    } while (0)

#endif

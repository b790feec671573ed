/* SPDX-License-Identifier: MIT */
/* What calls cost, where the run itself does not tell.
 *
 * Figures are for the page cache and were measured on a virtual machine of two x86-64 cores with Linux 6.18, glibc
 * 2.36 and ext4, the best of several runs. How they relate to each other holds elsewhere, too; each
 * is used only for calls that a run did not time, or for what would take their place. */
#ifndef HEAPWISE_FINDINGS_IO_COSTS_H
#define HEAPWISE_FINDINGS_IO_COSTS_H

#include "reader/profile.h"

enum io_cost {
    IO_COST_SEEK,   /* lseek */
    IO_COST_CLOSE,  /* of a file that nobody else has open */
    IO_COST_FWRITE, /* fwrite or fread of some 100 bytes from a buffer with room */
    IO_COST_PUTC,   /* putc or getc likewise */
    IO_COST_MAPPED, /* 64 bytes at a random place of a mapping, its page faults spread over all */
    IO_COST_COPY_PAIR,    /* a read and a write, beyond their bytes */
    IO_COST_MOVED_BYTE,   /* a byte written to the page cache */
    IO_COST_THROUGH_BYTE, /* a byte taken to user space and back, beyond the copy within the kernel */
    IO_N_COSTS,
};

double io_costs_seconds(enum io_cost cost);

/* What one call of the site takes apart from its bytes, by the calls' own times: what goes away where calls are made
 * fewer and bytes stay. */
double io_costs_fixed_seconds(const struct io_site *site);

#endif

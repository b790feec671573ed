/* SPDX-License-Identifier: MIT */
/* Which texts a trace names: each kept once, terminated, known by a number from 1. */
#ifndef HEAPWISE_READER_STRTAB_H
#define HEAPWISE_READER_STRTAB_H

#include <stddef.h>
#include <stdint.h>

#include "reader/storage.h"

/* Zero it to begin; texts are kept in `storage`, which must outlive their users. */
struct strtab {
    struct storage *storage;
    const char **texts; /* by id - 1 */
    uint32_t *slots;    /* open addressing; ids, 0 empty */
    uint32_t n_texts, capacity, n_slots;
};

/* The id of bytes[0..n), cut at the first NUL; 0 when out of memory. */
uint32_t strtab_add(struct strtab *table, const char *bytes, size_t n_bytes);

/* The same without adding anything; 0 where the text is not there. */
uint32_t strtab_find(const struct strtab *table, const char *bytes, size_t n_bytes);

/* As strtab_add() for a build-id, which may come as raw bytes or as hex: kept in lower-case hex. */
uint32_t strtab_add_build_id(struct strtab *table, const char *bytes, size_t n_bytes);

/* The text of an id; "" for 0 and for ids never given. */
const char *strtab_text(const struct strtab *table, uint32_t id);

void strtab_fini(struct strtab *table);

#endif

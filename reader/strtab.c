/* SPDX-License-Identifier: MIT */
/* How a text finds its number: a table of ids, probed by the text's hash. */
#include "reader/strtab.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reader/array.h"
#include "reader/hash.h"
#include "trace/trace_format.h"

static uint32_t *find(const struct strtab *table, const char *bytes, size_t n_bytes)
{
    const uint32_t mask = table->n_slots - 1;
    uint32_t at = (uint32_t)hash_bytes(bytes, n_bytes) & mask;
    for (;; at = (at + 1) & mask) {
        const uint32_t id = table->slots[at];
        if (id == 0)
            return &table->slots[at];
        const char *const text = table->texts[id - 1];
        if (strncmp(text, bytes, n_bytes) == 0 && text[n_bytes] == 0)
            return &table->slots[at];
    }
}

static int grow(struct strtab *table)
{
    struct strtab wider = *table;
    wider.n_slots = table->n_slots ? 2 * table->n_slots : 64;
    wider.slots = calloc(wider.n_slots, sizeof *wider.slots);
    if (!wider.slots)
        return -ENOMEM;
    for (uint32_t id = 1; id <= table->n_texts; id++)
        *find(&wider, table->texts[id - 1], strlen(table->texts[id - 1])) = id;
    free(table->slots);
    *table = wider;
    return 0;
}

uint32_t strtab_add(struct strtab *table, const char *bytes, size_t n_bytes)
{
    const size_t n = n_bytes ? strnlen(bytes, n_bytes) : 0;
    if (2 * (table->n_texts + 1) > table->n_slots && grow(table))
        return 0;
    uint32_t *const slot = find(table, n ? bytes : "", n);
    if (*slot)
        return *slot;
    const char **const texts =
        array_room(table->texts, table->n_texts, &table->capacity, sizeof *table->texts);
    if (!texts)
        return 0;
    table->texts = texts;
    const char *const copy = storage_text(table->storage, n ? bytes : "", n);
    if (!copy)
        return 0;
    texts[table->n_texts++] = copy;
    return *slot = table->n_texts;
}

uint32_t strtab_find(const struct strtab *table, const char *bytes, size_t n_bytes)
{
    const size_t n = n_bytes ? strnlen(bytes, n_bytes) : 0;
    return table->n_slots ? *find(table, n ? bytes : "", n) : 0;
}

uint32_t strtab_add_build_id(struct strtab *table, const char *bytes, size_t n_bytes)
{
    static const char digits[] = "0123456789abcdef";
    char hex[4 * TRACE_MAX_BUILD_ID_BYTES];
    bool is_hex = n_bytes % 2 == 0;
    if (n_bytes > 2 * TRACE_MAX_BUILD_ID_BYTES)
        return strtab_add(table, "", 0);
    for (size_t i = 0; i < n_bytes; i++) {
        const unsigned char byte = (unsigned char)bytes[i];
        is_hex = is_hex && isxdigit(byte);
        hex[2 * i] = digits[byte >> 4];
        hex[2 * i + 1] = digits[byte & 15];
    }
    if (!is_hex)
        return strtab_add(table, hex, 2 * n_bytes);
    for (size_t i = 0; i < n_bytes; i++)
        hex[i] = (char)tolower((unsigned char)bytes[i]);
    return strtab_add(table, hex, n_bytes);
}

const char *strtab_text(const struct strtab *table, uint32_t id)
{
    return id && id <= table->n_texts ? table->texts[id - 1] : "";
}

void strtab_fini(struct strtab *table)
{
    free(table->texts);
    free(table->slots);
    *table = (struct strtab){0};
}

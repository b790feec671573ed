/* SPDX-License-Identifier: MIT */
/* How single fields of a dumped line are printed. */
#include "reader/dump_fields.h"

#include <inttypes.h>

#include "reader/jsontext.h"

void dump_put_number(FILE *out, const char *key, uint64_t value)
{
    fprintf(out, ", \"%s\": %" PRIu64, key, value);
}

void dump_put_signed(FILE *out, const char *key, int64_t value)
{
    fprintf(out, ", \"%s\": %" PRId64, key, value);
}

/* As a string: numbers beyond 2^53 do not survive many JSON readers. */
void dump_put_address(FILE *out, const char *key, uint64_t value)
{
    fprintf(out, ", \"%s\": \"0x%" PRIx64 "\"", key, value);
}

void dump_put_text(FILE *out, const char *key, struct unpack_text text)
{
    fprintf(out, ", \"%s\": ", key);
    jsontext_string(out, text.bytes, text.n_bytes);
}

void dump_put_pairs(FILE *out, uint32_t n_pairs, struct unpack_cursor pairs)
{
    for (uint32_t i = 0; i < n_pairs; i++) {
        struct unpack_text key;
        if (unpack_text(&pairs, &key))
            return;
        fputs(", ", out);
        jsontext_string(out, key.bytes, key.n_bytes);
        fputs(": ", out);
        if (jsontext_object(out, &pairs))
            return;
    }
}

/* SPDX-License-Identifier: MIT */
/* How text from outside is written: as str only where it really is UTF-8. */
#include "trace/pack.h"

/* Length of the well-formed sequence at bytes[0..n), 0 where there is none. Table 3-7 of the Unicode
 * standard: the second byte's range depends on the first. */
static size_t sequence_bytes(const uint8_t *bytes, size_t n_bytes)
{
    const uint8_t first = bytes[0];
    if (first < 0x80)
        return 1;
    const size_t n = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (n == 0 || n > n_bytes)
        return 0;
    const uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool pack_is_utf8(const void *bytes, size_t n_bytes)
{
    const uint8_t *at = bytes;
    const uint8_t *const end = at + n_bytes;
    while (at < end) {
        const size_t n = sequence_bytes(at, (size_t)(end - at));
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}

void pack_text(struct pack_cursor *cursor, const void *bytes, size_t n_bytes)
{
    if (pack_is_utf8(bytes, n_bytes))
        pack_str(cursor, n_bytes);
    else
        pack_bin(cursor, n_bytes);
    pack_bytes(cursor, bytes, n_bytes);
}

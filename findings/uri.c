/* SPDX-License-Identifier: MIT */
/* Which characters of a path may stand in a URI? */
#include "findings/uri.h"

#include <ctype.h>
#include <string.h>

/* Unreserved ones and '/'. Others are allowed too in most places; escaping them is never wrong. */
static bool is_plain(unsigned char byte)
{
    return byte < 0x80 && (isalnum(byte) || (byte && strchr("-._~/", byte)));
}

void uri_add_path(struct buffer *out, const char *path)
{
    if (path[0] == '/')
        buffer_text(out, "file://");
    for (const char *at = path; *at; at++) {
        if (is_plain((unsigned char)*at))
            buffer_add(out, at, 1);
        else
            buffer_printf(out, "%%%02X", (unsigned char)*at);
    }
}

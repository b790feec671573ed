/* SPDX-License-Identifier: MIT */
/* Which characters of a foreign text may reach a terminal, and how wide are they?
 *
 * The decoder is our own because mbrtowc(3) follows the locale, and a report written to a file has
 * to be the same under LANG=C. Widths come from wcwidth(3); it knows no character beyond ASCII in
 * the C locale, and then such characters have been escaped already. */
#include "report/escape.h"

#include <ctype.h>
#include <string.h>
#include <wchar.h>

size_t escape_decode(const char *text, uint32_t *code_out)
{
    static const struct {
        uint8_t mask, lead, n;
        uint32_t lowest;
    } forms[] = {{0x80, 0x00, 1, 0},
                 {0xe0, 0xc0, 2, 0x80},
                 {0xf0, 0xe0, 3, 0x800},
                 {0xf8, 0xf0, 4, 0x10000}};
    const uint8_t *bytes = (const uint8_t *)text;
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        if ((bytes[0] & forms[f].mask) != forms[f].lead)
            continue;
        uint32_t code = bytes[0] & (uint8_t)~forms[f].mask;
        /* The NUL at the end is no continuation byte, so this never reads past it. */
        for (size_t i = 1; i < forms[f].n; i++) {
            if ((bytes[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (bytes[i] & 0x3f);
        }
        if (code < forms[f].lowest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return 0;
        *code_out = code;
        return forms[f].n;
    }
    return 0;
}

static bool is_control(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200b, 0x200f},   {0x2028, 0x202e},
        {0x2060, 0x2069}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

static void escape_bytes(struct buffer *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buffer_printf(out, "\\x%02x", (uint8_t)text[i]);
}

static size_t plain_ascii(const char *text)
{
    size_t n = 0;
    while (text[n] >= 0x20 && text[n] < 0x7f)
        n++;
    return n;
}

void escape_text(struct buffer *out, const char *text, bool ascii_only)
{
    while (*text) {
        const size_t plain = plain_ascii(text);
        buffer_add(out, text, plain);
        text += plain;
        if (!*text)
            return;
        uint32_t code = 0;
        const size_t n = escape_decode(text, &code);
        if (n == 0 || is_control(code) || (ascii_only && code >= 0x80))
            escape_bytes(out, text, n ? n : 1);
        else
            buffer_add(out, text, n);
        text += n ? n : 1;
    }
}

void escape_invalid(struct buffer *out, const char *text)
{
    while (*text) {
        uint32_t code = 0;
        const size_t n = escape_decode(text, &code);
        if (n)
            buffer_add(out, text, n);
        else
            escape_bytes(out, text, 1);
        text += n ? n : 1;
    }
}

void escape_markdown(struct buffer *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        const bool inside_word =
            at > text && isalnum((unsigned char)at[-1]) && isalnum((unsigned char)at[1]);
        switch (*at) {
        case '<': buffer_text(out, "&lt;"); break;
        case '>': buffer_text(out, "&gt;"); break;
        case '&': buffer_text(out, "&amp;"); break;
        case '@': buffer_text(out, "&#64;"); break;
        case '_': buffer_text(out, inside_word ? "_" : "\\_"); break;
        case '|':
        case '\\':
        case '`':
        case '*':
        case '[':
        case ']':
        case '~': buffer_text(out, "\\"); /* fall through */
        default: buffer_add(out, at, 1); break;
        }
    }
}

/* Columns of the character at `text`; *length_out is never 0. */
static size_t width_at(const char *text, size_t *length_out)
{
    uint32_t code = 0;
    const size_t n = escape_decode(text, &code);
    *length_out = n ? n : 1;
    if (n <= 1)
        return 1;
    const int columns = wcwidth((wchar_t)code);
    return columns < 0 ? 1 : (size_t)columns;
}

size_t escape_width(const char *text)
{
    size_t width = 0;
    while (*text) {
        size_t length = 0;
        width += width_at(text, &length);
        text += length;
    }
    return width;
}

size_t escape_fit(struct buffer *out, const char *text, size_t width)
{
    size_t used = 0;
    const char *end = text;
    while (*end) {
        size_t length = 0;
        const size_t columns = width_at(end, &length);
        if (used + columns > width)
            break;
        used += columns;
        end += length;
    }
    buffer_add(out, text, (size_t)(end - text));
    return used;
}

const char *escape_tail(const char *text, size_t width)
{
    size_t rest = escape_width(text);
    while (*text && rest > width) {
        size_t length = 0;
        rest -= width_at(text, &length);
        text += length;
    }
    /* A combining character without its base would attach itself to whatever stands before. */
    size_t length = 0;
    while (*text && width_at(text, &length) == 0)
        text += length;
    return text;
}

/* SPDX-License-Identifier: MIT */
/* What did the programmer call this function?
 *
 * Through the callback forms of libiberty's demanglers: they print piece by piece, so a name that
 * would never end is left by longjmp when the buffer is full. They hold no memory while printing,
 * but for the decoding of one punycode identifier. */
#include "demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <string.h>

enum { MAX_MANGLED_CHARS = 16 * 1024, MAX_READABLE_CHARS = 16 * 1024 };

struct output {
    jmp_buf full;
    size_t n;
    char text[MAX_READABLE_CHARS];
};

bool demangle_is_mangled(const char *name)
{
    return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

static void take_piece(const char *piece, size_t n_chars, void *opaque)
{
    struct output *output = opaque;
    if (n_chars > sizeof output->text - output->n) {
        longjmp(output->full, 1);
    }
    if (n_chars == 0)
        return; /* `piece` may be NULL then, which memcpy does not allow */
    memcpy(output->text + output->n, piece, n_chars);
    output->n += n_chars;
}

const char *demangle_name(struct strpool *pool, const char *name)
{
    const size_t n_chars = strnlen(name, MAX_MANGLED_CHARS);
    struct output output;
    output.n = 0;
    if (!demangle_is_mangled(name) || n_chars == MAX_MANGLED_CHARS || setjmp(output.full) != 0) {
        return strpool_keep(pool, name, n_chars);
    }
    const int options = DMGL_PARAMS | DMGL_ANSI;
    if (rust_demangle_callback(name, options, take_piece, &output) != 0) {
        return strpool_keep(pool, output.text, output.n);
    }
    output.n = 0; /* a name that only began like Rust may have left a piece */
    if (cplus_demangle_v3_callback(name, options, take_piece, &output) != 0) {
        return strpool_keep(pool, output.text, output.n);
    }
    return strpool_keep(pool, name, n_chars);
}

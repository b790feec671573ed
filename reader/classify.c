/* SPDX-License-Identifier: MIT */
/* How frames are told apart: tables of names. */
#include "reader/classify.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define N_OF(table) (sizeof(table) / sizeof *(table))

const char *classify_basename(const char *path)
{
    const char *const slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool begins_with_any(const char *text, const char *const *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (begins(text, table[i]))
            return true;
    return false;
}

static bool is_any(const char *text, const char *const *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, table[i]) == 0)
            return true;
    return false;
}

static bool is_libc(const char *module)
{
    const char *const name = classify_basename(module);
    return begins(name, "libc.so") || begins(name, "libc-2.");
}

bool classify_is_allocator(const struct profile_frame *frame, const char *allocator,
                           const char *executable)
{
    static const char *const functions[] = {
        "malloc",
        "calloc",
        "realloc",
        "reallocarray",
        "posix_memalign",
        "aligned_alloc",
        "memalign",
        "valloc",
        "pvalloc",
        "mallocx",
        "rallocx",
        "xallocx",
        "__libc_malloc",
        "__libc_calloc",
        "__libc_realloc",
        "__libc_reallocarray",
        "__libc_memalign",
        "__libc_valloc",
        "__libc_pvalloc",
        "__posix_memalign",
        "__rust_alloc",
        "__rust_alloc_zeroed",
        "__rust_realloc",
        "__rdl_alloc",
        "__rdl_alloc_zeroed",
        "__rdl_realloc",
        "__rg_alloc",
        "alloc::alloc::alloc",
        "alloc::alloc::alloc_zeroed",
        "alloc::alloc::realloc",
        "free",
        "cfree",
        "free_sized",
        "free_aligned_sized",
        "dallocx",
        "sdallocx",
        "__libc_free",
        "__rust_dealloc",
        "__rdl_dealloc",
        "alloc::alloc::dealloc",
    };
    static const char *const prefixes[] = {"operator new",    "_Znw", "_Zna",
                                           "operator delete", "_Zdl", "_Zda"};
    if (is_any(frame->function, functions, N_OF(functions)) ||
        begins_with_any(frame->function, prefixes, N_OF(prefixes)))
        return true;
    if (begins(classify_basename(frame->module), "libheapwise-preload"))
        return true;
    return *allocator && strcmp(frame->module, allocator) == 0 && !is_libc(allocator) &&
           strcmp(allocator, executable) != 0;
}

/* The name proper of a demangled function: behind a return type, if one is there (templates have
 * one), that is behind the last space outside of all brackets before the parameters. */
static const char *own_name(const char *function)
{
    const char *name = function;
    int depth = 0;
    for (const char *at = function; *at; at++) {
        if (begins(at, "operator") || (*at == '(' && depth == 0 && !begins(at, "(anonymous")))
            break;
        if (*at == '<' || *at == '(')
            depth++;
        else if (*at == '>' || *at == ')')
            depth--;
        else if (*at == ' ' && depth == 0)
            name = at + 1;
    }
    return name;
}

/* Compiled in from an installed header: the checking forms of <unistd.h>, templates of libraries. */
static bool is_from_a_system_header(const struct profile_frame *frame)
{
    return frame->inlined && begins(frame->file, "/usr/include/");
}

/* What runs before main(), linked into the program itself. */
static bool is_start(const char *function)
{
    static const char *const names[] = {"_start", "__libc_start_main", "__libc_start_call_main"};
    return is_any(function, names, N_OF(names));
}

bool classify_is_runtime(const struct profile_frame *frame)
{
    static const char *const modules[] = {
        "libc.so",   "libc-2.",   "ld-linux",           "ld-2.",    "libpthread",
        "libstdc++", "libc++.so", "libc++abi",          "libgcc_s", "libm.so",
        "libdl.so",  "librt.so",  "libheapwise-preload"};
    static const char *const names[] = {
        "std::",   "__gnu_cxx::", "__cxxabiv1::", "alloc::", "core::",     "<alloc::",
        "<core::", "<std::",      "__rust_",      "__rdl_",  "hashbrown::"};
    return is_from_a_system_header(frame) || is_start(frame->function) ||
           begins_with_any(classify_basename(frame->module), modules, N_OF(modules)) ||
           begins_with_any(own_name(frame->function), names, N_OF(names));
}

static size_t name_bytes(const char *name)
{
    return strcspn(name, "(<");
}

/* Whether name[0..n) has the word, whatever its case. "preallocate" has no "realloc". */
static bool has_word(const char *name, size_t n, const char *word)
{
    const size_t n_word = strlen(word);
    for (size_t at = 0; at + n_word <= n; at++)
        if (strncasecmp(name + at, word, n_word) == 0 &&
            (at == 0 || name[at - 1] != 'p' || *word != 'r'))
            return true;
    return false;
}

static bool ends_with(const char *name, size_t n, const char *end)
{
    const size_t n_end = strlen(end);
    return n >= n_end && strncasecmp(name + n - n_end, end, n_end) == 0;
}

/* n without an end that name[0..n) has. */
static size_t without(const char *name, size_t n, const char *end)
{
    return ends_with(name, n, end) ? n - strlen(end) : n;
}

/* Whether a function's name says that it gives memory back and nothing else: xfree, g_free, PyMem_RawFree,
 * sqlite3DbFreeNN; not list_free or jv_free, which take apart what lies there. */
static bool is_releasing(const char *name, size_t n)
{
    static const char *const owners[] = {"mem",     "memory", "raw",       "heap",     "malloc",
                                         "alloc",   "sys",    "slice",     "checked",  "safe",
                                         "sqlite3", "zlibc",  "sqlite3db", "pyobject", "crypto",
                                         "openssl", "zc"};
    n = without(name, without(name, n, "1"), "NN");
    const size_t n_before = without(name, n, "free");
    if (n_before == n)
        return ends_with(name, n, "::deallocate");
    n = without(name, without(name, n_before, "_"), "NN");
    if (n <= 1 || name[n - 2] == '_' || name[n - 2] == ':') /* one letter: x, z, g, Perl_m */
        return true;
    for (size_t i = 0; i < N_OF(owners); i++)
        if (ends_with(name, n, owners[i]))
            return true;
    return false;
}

bool classify_is_wrapper(const struct profile_frame *frame)
{
    static const char *const words[] = {"malloc",  "calloc", "realloc", "strdup",
                                        "strndup", "memdup", "memalign"};
    static const char *const ends[] = {"_alloc", "Alloc", "_zalloc", "_palloc", "_mem_new"};
    const char *const name = own_name(frame->function);
    const size_t n = name_bytes(name);
    for (size_t i = 0; i < N_OF(words); i++)
        if (has_word(name, n, words[i]))
            return true;
    for (size_t i = 0; i < N_OF(ends); i++)
        if (n >= strlen(ends[i]) &&
            strncmp(name + n - strlen(ends[i]), ends[i], strlen(ends[i])) == 0)
            return true;
    return is_releasing(name, n);
}

/* SPDX-License-Identifier: MIT */
/* How a pattern is matched: its parts between stars must occur one after the other; the first and
 * the last are bound to the ends where the pattern says so. Linear but for the search of each part. */
#include "reader/suppress.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 16 << 20 };

/* What glibc, ld.so, libstdc++ and libgcc allocate once and keep: not a program's leak. Matched on
 * the frames between the allocation and the program only, so that what a constructor or a loaded
 * library allocates below the same functions stays the program's. */
static const char *const runtime_patterns[] = {
    "^_dl_*", /* link maps, scopes, TLS blocks: freed by nobody before exit */
    "^dl_*",
    "^__dl_*",
    "^allocate_dtv",
    "^_IO_file_doallocate", /* buffers of streams that stay open: stdin, stdout, stderr */
    "^_IO_wfile_doallocate",
    "^__new_exitfn", /* lists of exit handlers */
    "^__cxa_thread_atexit",
    "^__cxa_get_globals", /* exception state of a thread */
    "^_nl_*",             /* locales and message catalogues */
    "^setlocale",
    "^newlocale",
    "^bindtextdomain",
    "^set_binding_values",
    "^textdomain",
    "^__gconv*", /* character set conversions */
    "^gconv_*",
    "^tzset*", /* the time zone */
    "^__tz*",
    "^__nss_*", /* name service modules */
    "^nss_*",
    "^getpw*", /* the answers of getpwuid() and its like: one buffer each, used again */
    "^getgr*",
    "^getspnam*",
    "^gethostby*",
    "^getserv*",
    "^getproto*",
    "^__res_*",
    "^__resolv_*",
    "^__libc_dlopen*",
    "^__libc_setlocale*",
    "^__pthread_create*", /* stacks and thread descriptors that are cached */
    "^pthread_create*",
    "^__pthread_getattr*",
    "^__add_to_environ", /* setenv keeps every string */
    "^init_cacheinfo",
    "*eh_alloc.cc", /* libstdc++'s pool for exceptions thrown without memory */
    "^_GLOBAL__sub_I_eh_alloc.cc",
    "*(anonymous namespace)::pool::pool*",
    "^std::locale::*",
    "^std::ios_base::Init::Init*",
    "^__register_frame*",
    "^frame_dummy",
};

int suppress_add_runtime(struct suppressions *suppressions)
{
    struct trace_error ignored;
    char line[128];
    int error = 0;
    for (size_t i = 0; i < sizeof runtime_patterns / sizeof *runtime_patterns && !error; i++) {
        const int n = snprintf(line, sizeof line, "leak:%s", runtime_patterns[i]);
        error = suppress_parse(suppressions, line, (size_t)n, &ignored);
    }
    return error;
}

static int add_pattern(struct suppressions *suppressions, const char *pattern, size_t n_bytes)
{
    char **const patterns =
        reallocarray(suppressions->patterns, suppressions->n_patterns + 1, sizeof *patterns);
    if (!patterns)
        return -ENOMEM;
    suppressions->patterns = patterns;
    patterns[suppressions->n_patterns] = strndup(pattern, n_bytes);
    if (!patterns[suppressions->n_patterns])
        return -ENOMEM;
    suppressions->n_patterns++;
    return 0;
}

static int fail_line(struct trace_error *error, uint64_t offset, unsigned line, const char *why)
{
    error->offset_bytes = offset;
    error->record = "suppressions";
    snprintf(error->reason, sizeof error->reason, "line %u: %s", line, why);
    return -EINVAL;
}

int suppress_parse(struct suppressions *suppressions, const char *text, size_t n_bytes,
                   struct trace_error *error_out)
{
    static const char prefix[] = "leak:";
    const size_t n_prefix = sizeof prefix - 1;
    unsigned line = 1;
    for (size_t at = 0, end; at < n_bytes; at = end + 1, line++) {
        for (end = at; end < n_bytes && text[end] != '\n';)
            end++;
        size_t first = at, last = end;
        while (first < last && isspace((unsigned char)text[first]))
            first++;
        while (last > first && isspace((unsigned char)text[last - 1]))
            last--;
        if (first == last || text[first] == '#')
            continue;
        if (last - first < n_prefix || memcmp(text + first, prefix, n_prefix) != 0)
            return fail_line(error_out, at, line, "not of the form leak:PATTERN");
        if (last - first == n_prefix)
            return fail_line(error_out, at, line, "the pattern is empty");
        const int error =
            add_pattern(suppressions, text + first + n_prefix, last - first - n_prefix);
        if (error)
            return error;
    }
    return 0;
}

static int read_all(FILE *file, char **text_out, size_t *n_out)
{
    char *text = NULL;
    size_t n = 0, n_room = 0;
    for (size_t n_read = 1; n_read > 0; n += n_read) {
        if (n_room - n < 4096) {
            n_room = 2 * n_room + 8192;
            char *const moved = n_room > MAX_FILE_BYTES ? NULL : realloc(text, n_room);
            if (!moved) {
                free(text);
                return n_room > MAX_FILE_BYTES ? -EFBIG : -ENOMEM;
            }
            text = moved;
        }
        n_read = fread(text + n, 1, n_room - n, file);
    }
    if (ferror(file)) {
        free(text);
        return errno ? -errno : -EIO;
    }
    *text_out = text;
    *n_out = n;
    return 0;
}

int suppress_read(struct suppressions *suppressions, const char *path,
                  struct trace_error *error_out)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *const file = fopen(path, "re");
    int error = file ? read_all(file, &text, &n_bytes) : -errno;
    if (file)
        fclose(file);
    if (error) {
        error_out->offset_bytes = 0;
        error_out->record = "suppressions";
        snprintf(error_out->reason, sizeof error_out->reason, "%s", strerror(-error));
        return -EINVAL;
    }
    error = suppress_parse(suppressions, text, n_bytes, error_out);
    free(text);
    return error;
}

/* Match one pattern: `at_start` while the next part must stand where the name does. */
static bool matches(const char *pattern, const char *name)
{
    bool at_start = *pattern == '^';
    pattern += at_start;
    while (*pattern) {
        if (*pattern == '*') {
            at_start = false;
            pattern++;
            continue;
        }
        const size_t n_part = strcspn(pattern, "*");
        const bool is_last = pattern[n_part] == 0;
        if (is_last && n_part == 1 && *pattern == '$')
            return !at_start || *name == 0;
        if (is_last && pattern[n_part - 1] == '$') {
            const size_t n = n_part - 1, n_name = strlen(name);
            return n_name >= n && (!at_start || n_name == n) &&
                   memcmp(name + n_name - n, pattern, n) == 0;
        }
        const char *const found = at_start ? (strncmp(name, pattern, n_part) == 0 ? name : NULL)
                                           : memmem(name, strlen(name), pattern, n_part);
        if (!found)
            return false;
        name = found + n_part;
        pattern += n_part;
        at_start = false;
    }
    return true;
}

bool suppress_matches(const struct suppressions *suppressions, const char *name)
{
    if (*name == 0)
        return false;
    for (size_t i = 0; i < suppressions->n_patterns; i++)
        if (matches(suppressions->patterns[i], name))
            return true;
    return false;
}

void suppress_fini(struct suppressions *suppressions)
{
    for (size_t i = 0; i < suppressions->n_patterns; i++)
        free(suppressions->patterns[i]);
    free(suppressions->patterns);
    *suppressions = (struct suppressions){0};
}

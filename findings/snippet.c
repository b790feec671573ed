/* SPDX-License-Identifier: MIT */
/* Which lines of a source file may be shown, and are they those that ran? */
#include "findings/snippet.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report/escape.h"
#include "report/names.h"

enum { MAX_FILE_BYTES = 8 << 20 };

/* A trace may name any file; what a document quotes is to be source, and nobody's keys. */
static bool is_source(const char *path)
{
    static const char *const endings[] = {"c",   "h",   "cc",  "cpp", "cxx", "c++", "hh",
                                          "hpp", "hxx", "h++", "C",   "H",   "inl", "ipp",
                                          "tcc", "def", "inc", "y",   "l",   "m",   "mm",
                                          "rs",  "go",  "zig", "d",   "f90", "adb"};
    const char *const dot = strrchr(names_base(path), '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcmp(dot + 1, endings[i]) == 0)
            return true;
    return false;
}

/* When the run had ended, in seconds since the epoch; 0 where the trace does not tell. */
static double ended_at(const struct profile *profile)
{
    struct tm tm = {0};
    if (!strptime(profile->started, "%Y-%m-%dT%H:%M:%S", &tm))
        return 0;
    const double seconds = profile->duration_seconds;
    return (double)timegm(&tm) + (seconds > 0 && isfinite(seconds) ? seconds : 0);
}

/* NULL when the open file may be shown, else why not. */
static const char *refuse(const struct stat *status, const struct profile *profile)
{
    const double ended = ended_at(profile);
    if (!S_ISREG(status->st_mode))
        return "it is no regular file";
    if (status->st_size > MAX_FILE_BYTES)
        return "it is too large for a source file";
    /* The start is recorded in whole seconds. */
    if (ended > 0 && (double)status->st_mtime > ended + 1)
        return "it was changed after the run";
    return NULL;
}

/* Whether what was opened has a source file's name, wherever links led. */
static bool leads_to_source(int fd)
{
    char name[32], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(name, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    return is_source(path);
}

/* Tabs become blanks up to the next column of eight; text is cut where it is too wide. */
static void add_line(struct buffer *out, const char *text, size_t n)
{
    struct buffer plain = {0}, escaped = {0};
    for (size_t i = 0, column = 0; i < n && column < SNIPPET_MAX_COLUMNS; i++) {
        const size_t width = text[i] == '\t' ? 8 - column % 8 : 1;
        if (text[i] == '\t')
            buffer_repeat(&plain, " ", width);
        else
            buffer_add(&plain, text[i] ? &text[i] : "?", 1);
        column += width;
    }
    escape_text(&escaped, buffer_string(&plain), false);
    escape_fit(out, buffer_string(&escaped), SNIPPET_MAX_COLUMNS);
    out->failed |= plain.failed || escaped.failed;
    buffer_fini(&plain);
    buffer_fini(&escaped);
}

static void read_lines(FILE *file, uint32_t line, struct snippet *snippet)
{
    const uint32_t first = line > SNIPPET_AROUND ? line - SNIPPET_AROUND : 1;
    char *text = NULL;
    size_t capacity = 0;
    ssize_t n = 0;
    for (uint32_t at = 1; at <= line + SNIPPET_AROUND; at++) {
        n = getline(&text, &capacity, file);
        if (n < 0)
            break;
        while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
            n--;
        if (at >= first)
            add_line(&snippet->lines[snippet->n_lines++], text, (size_t)n);
    }
    free(text);
    snippet->first_line = first;
    if (snippet->n_lines <= line - first) { /* not even the line itself */
        snippet_fini(snippet);
        snippet->why_not = "it has no such line";
    }
}

static int open_file(const char *file, const char *root)
{
    /* A pipe must not make us wait, a terminal not become ours. */
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    char *path = NULL;
    if (file[0] == '/')
        return open(file, flags);
    if (!root || asprintf(&path, "%s/%s", root, file) < 0) {
        errno = ENOENT;
        return -1;
    }
    const int fd = open(path, flags);
    free(path);
    return fd;
}

void snippet_read(const struct profile *profile, const struct profile_frame *frame,
                  const char *root, struct snippet *snippet_out)
{
    struct stat status;
    *snippet_out = (struct snippet){.why_not = ""};
    if (!frame || !frame->line || frame->line > UINT32_MAX - SNIPPET_MAX_LINES ||
        !is_source(frame->file))
        return;
    const int fd = open_file(frame->file, root);
    if (fd < 0) {
        snippet_out->why_not =
            errno == ENOENT || errno == ENOTDIR ? "it is not on this machine" : "it cannot be read";
        return;
    }
    snippet_out->why_not = !leads_to_source(fd)      ? "it is a link to another file"
                           : fstat(fd, &status) == 0 ? refuse(&status, profile)
                                                     : "it cannot be read";
    FILE *const file = snippet_out->why_not ? NULL : fdopen(fd, "r");
    if (file) {
        snippet_out->why_not = "";
        read_lines(file, frame->line, snippet_out);
        fclose(file);
    } else {
        close(fd);
    }
    if (!snippet_out->why_not)
        snippet_out->why_not = "it cannot be read";
}

void snippet_fini(struct snippet *snippet)
{
    for (uint32_t i = 0; i < snippet->n_lines; i++)
        buffer_fini(&snippet->lines[i]);
    snippet->n_lines = 0;
}

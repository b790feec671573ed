/* SPDX-License-Identifier: MIT */
/* What is a frame called where there is little room? */
#include "report/names.h"

#include "report/escape.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* Columns for the library function below a place. */
#define NAME_INSIDE 40

const char *names_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

void names_add_function(struct buffer *out, const struct profile_frame *frame)
{
    if (frame->function[0])
        buffer_text(out, frame->function);
    else if (frame->module[0])
        buffer_printf(out, "%s+0x%" PRIx64, names_base(frame->module), frame->offset);
    else
        buffer_printf(out, "0x%" PRIx64, frame->offset);
}

void names_add_location(struct buffer *out, const struct profile_frame *frame, bool whole_path)
{
    if (frame->file[0]) {
        buffer_text(out, whole_path ? frame->file : names_base(frame->file));
        if (frame->line)
            buffer_printf(out, ":%" PRIu32, frame->line);
    } else if (frame->module[0] && frame->function[0]) {
        buffer_text(out, whole_path ? frame->module : names_base(frame->module));
    }
}

/* The words in which '<' and '(' open no arguments. */
static size_t operator_length(const char *text)
{
    static const char *const operators[] = {
        "operator<<=", "operator<=>", "operator<<",           "operator<=", "operator<",
        "operator>>=", "operator->*", "operator->",           "operator>>", "operator>=",
        "operator>",   "operator()",  "(anonymous namespace)"};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strncmp(text, operators[i], strlen(operators[i])) == 0)
            return strlen(operators[i]);
    return 0;
}

/* Add `name` with everything between `open` and `close` deeper than `keep` levels left out. */
static void add_without_arguments(struct buffer *out, const char *name, const char *brackets,
                                  size_t keep, const char *ellipsis)
{
    size_t depth = 0;
    for (const char *at = name; *at; at++) {
        const size_t skip = operator_length(at);
        if (skip) {
            if (depth <= keep)
                buffer_add(out, at, skip);
            at += skip - 1;
            continue;
        }
        const bool closes = *at == brackets[1] && depth > 0;
        if (closes && depth-- == keep + 1)
            buffer_text(out, ellipsis);
        if (depth <= keep)
            buffer_add(out, at, 1);
        if (*at == brackets[0])
            depth++;
    }
}

/* Keep the head and the tail: both namespace and last word tell names apart. */
static void add_middle_cut(struct buffer *out, const char *name, size_t width, const char *ellipsis)
{
    const size_t mark = escape_width(ellipsis);
    if (width <= mark) {
        escape_fit(out, name, width);
        return;
    }
    const size_t head = (width - mark + 1) / 2;
    const size_t used = escape_fit(out, name, head);
    buffer_text(out, ellipsis);
    buffer_text(out, escape_tail(name, width - mark - used));
}

/* Where the name begins behind the type that templates have in front: the last blank outside of
 * brackets before the parameters. "operator bool" is one word. */
static const char *skip_return_type(const char *name)
{
    const char *start = name;
    size_t depth = 0;
    for (const char *at = name; *at; at++) {
        const size_t skip = operator_length(at);
        if (skip) {
            at += skip - 1;
            continue;
        }
        if (depth == 0 && *at == '(')
            return start;
        if (strchr("<{[(", *at))
            depth++;
        else if (strchr(">}])", *at) && depth > 0)
            depth--;
        else if (depth == 0 && *at == ' ' && (at - name < 8 || strncmp(at - 8, "operator", 8) != 0))
            start = at + 1;
    }
    return name; /* no parameters: no C++ function, so no type either */
}

/* Leave out arguments, as many as needed to fit `width`. The returned type goes first, then
 * parameters, then template arguments from the deepest kept level up. */
static void add_fewer_arguments(struct buffer *best, const char *name, size_t width,
                                const char *ellipsis)
{
    static const struct {
        const char *brackets;
        size_t keep;
    } steps[] = {{"()", 0}, {"<>", 2}, {"<>", 1}, {"<>", 0}};
    struct buffer next = {0};
    buffer_text(best, escape_width(name) <= width ? name : skip_return_type(name));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (escape_width(buffer_string(best)) <= width)
            break;
        buffer_reset(&next);
        add_without_arguments(&next, buffer_string(best), steps[i].brackets, steps[i].keep,
                              ellipsis);
        if (escape_width(buffer_string(&next)) < escape_width(buffer_string(best))) {
            const struct buffer swap = *best;
            *best = next;
            next = swap;
        }
    }
    best->failed |= next.failed;
    buffer_fini(&next);
}

void names_add_short(struct buffer *out, const char *name, size_t width, const char *ellipsis)
{
    struct buffer best = {0};
    add_fewer_arguments(&best, name, width, ellipsis);
    if (escape_width(buffer_string(&best)) <= width)
        buffer_text(out, buffer_string(&best));
    else
        add_middle_cut(out, buffer_string(&best), width, ellipsis);
    out->failed |= best.failed;
    buffer_fini(&best);
}

size_t names_bare_width(const char *name, const char *ellipsis)
{
    struct buffer bare = {0};
    add_fewer_arguments(&bare, name, 0, ellipsis);
    const size_t width = escape_width(buffer_string(&bare));
    buffer_fini(&bare);
    return width;
}

const struct profile_frame *names_frame(const struct profile *profile, const struct site *site,
                                        size_t i)
{
    if (i >= site->n_frames || site->frames[i] >= profile->n_frames)
        return NULL;
    return &profile->frames[site->frames[i]];
}

const struct profile_frame *names_place(const struct profile *profile, const struct site *site)
{
    return names_frame(profile, site, site->place < site->n_frames ? site->place : 0);
}

void names_add_inner(struct buffer *out, const struct profile_frame *frame)
{
    struct buffer name = {0};
    names_add_function(&name, frame);
    names_add_short(out, buffer_string(&name), NAME_INSIDE, "...");
    out->failed |= name.failed;
    buffer_fini(&name);
}

bool names_add_inside(struct buffer *out, const struct profile *profile, const struct site *site)
{
    const struct profile_frame *frame =
        site->place > 0 ? names_frame(profile, site, (size_t)site->place - 1) : NULL;
    if (!frame)
        return false;
    buffer_text(out, "through ");
    names_add_inner(out, frame);
    return true;
}

static bool needs_quotes(const char *word)
{
    return !*word || strpbrk(word, " \t\n'\"\\$`|&;<>()*?[]#~!{}") != NULL;
}

void names_add_command(struct buffer *out, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buffer_text(out, " ");
        if (!needs_quotes(words[i])) {
            buffer_text(out, words[i]);
            continue;
        }
        buffer_text(out, "'");
        for (const char *at = words[i]; *at; at++)
            buffer_add(out, *at == '\'' ? "'\\''" : at, *at == '\'' ? 4 : 1);
        buffer_text(out, "'");
    }
}

void names_add_status(struct buffer *out, bool has_status, int wait_status)
{
    if (!has_status)
        buffer_text(out, "status unknown");
    else if (WIFSIGNALED(wait_status))
        buffer_printf(out, "killed by signal %d (%s)", WTERMSIG(wait_status),
                      strsignal(WTERMSIG(wait_status)));
    else
        buffer_printf(out, "exit status %d", WEXITSTATUS(wait_status));
}

/* SPDX-License-Identifier: MIT */
/* Which of the many numbers of I/O deserve a line, and how is it put? */
#include "report/io_words.h"

#include "report/io_kinds.h"
#include "report/site_tree.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kinds of calls told of one place, and remarks on each: more would hide the callers below. */
#define KINDS_SHOWN 3
#define REMARKS_MAX 3

/* Below so many calls a share means nothing. */
#define CALLS_LEAST 10

/* A call costs more than copying so many bytes does: about 100 ns, at 1 GB/s or more. */
#define TINY_BYTES 64

/* Parts smaller than this are not remarkable. */
#define SHARE_LEAST 0.1
/* Bytes read so many times over are. */
#define READ_OVER_LEAST 1.5

/* Go on below the row before, in the last column. */
static void begin_line(struct view *view)
{
    view_row(view, VIEW_ROW_CHAIN, 0, false);
    for (size_t c = 0; c + 1 < view->n_columns; c++)
        view_skip(view);
}

void io_words_add(struct view *view, const char *format, ...)
{
    va_list arguments;
    begin_line(view);
    va_start(arguments, format);
    view_words_of(view, format, arguments);
    va_end(arguments);
}

void io_words_add_path(struct view *view, const char *lead, const char *path)
{
    begin_line(view);
    view_path(view, lead, path);
}

/* "write by stdio: /tmp/x", with how many calls where there are several kinds. */
static void add_call(const struct io_kind *kind, bool several, struct view *view)
{
    const char *const layer = kind->main->layer == IO_LAYER_STDIO ? " by stdio" : "";
    struct buffer lead = {0};
    if (several) {
        units_add_integer(&lead, UNIT_COUNT, kind->calls);
        buffer_text(&lead, " ");
    }
    buffer_printf(&lead, "%s%s", kind->main->op, layer);
    if (kind->one_path && kind->main->path[0]) {
        buffer_text(&lead, ": ");
        io_words_add_path(view, buffer_string(&lead), kind->main->path);
    } else if (kind->n_sites == 1 && kind->main->n_files > 1) {
        io_words_add(view, "%s: %" PRIu32 " files", buffer_string(&lead), kind->main->n_files);
    } else {
        io_words_add(view, "%s%s", buffer_string(&lead),
                     kind->n_sites > 1 ? ": several files" : "");
    }
    view->failed |= lead.failed;
    buffer_fini(&lead);
}

/* "1.20 us" or "1.20 us to 3.40 us". */
static void add_range(struct buffer *text, enum unit unit, uint64_t low, uint64_t high)
{
    units_add_integer(text, unit, low);
    if (low == high)
        return;
    buffer_text(text, " to ");
    units_add_integer(text, unit, high);
}

/* "p99 8.10 us"; below a hundred calls that is the longest. Of several stacks it is a bound. */
static void add_slow(const struct io_kind *kind, struct buffer *text)
{
    const bool few = kind->latency.n < 100;
    buffer_text(text, few ? "max " : kind->n_sites > 1 ? "p99 at most " : "p99 ");
    units_add_integer(text, UNIT_NS, few ? kind->latency.max : kind->latency.p99);
}

/* "median 4.10 kB in 1.20 us, p99 8.10 us". The median of several stacks together lies between their
 * medians, which is all that can be said of it. */
static void add_usual(const struct io_kind *kind, struct view *view)
{
    struct buffer text = {0};
    if (kind->latency.n == 0 && kind->sizes.n == 0)
        return;
    buffer_text(&text, kind->calls > 1 ? "median " : "");
    if (kind->sizes.n > 0) {
        add_range(&text, UNIT_BYTES, kind->size_low, kind->sizes.p50);
        buffer_text(&text, kind->latency.n > 0 ? " in " : "");
    }
    if (kind->latency.n > 0)
        add_range(&text, UNIT_NS, kind->latency_low, kind->latency.p50);
    if (kind->latency.n > 1) {
        if (kind->n_sites > 1) { /* two lines: one would be too long */
            io_words_add(view, "%s", buffer_string(&text));
            buffer_reset(&text);
        } else {
            buffer_text(&text, ", ");
        }
        add_slow(kind, &text);
    }
    view->failed |= text.failed;
    io_words_add(view, "%s", buffer_string(&text));
    buffer_fini(&text);
}

static void say_count(struct view *view, uint64_t n, const char *one, const char *many)
{
    struct buffer text = {0};
    units_add_integer(&text, UNIT_COUNT, n);
    view->failed |= text.failed;
    io_words_add(view, "%s %s", buffer_string(&text), n == 1 ? one : many);
    buffer_fini(&text);
}

/* Say "12.5 % WORDS" where the part is large enough to matter; returns whether it was. */
static bool add_part(struct view *view, uint64_t part, uint64_t whole, const char *words)
{
    const double share = view_share((double)part, (double)whole);
    if (whole < CALLS_LEAST || share < SHARE_LEAST)
        return false;
    struct buffer text = {0};
    units_add_real(&text, UNIT_SHARE, share > 1 ? 1 : share);
    view->failed |= text.failed;
    io_words_add(view, "%s %s", buffer_string(&text), words);
    buffer_fini(&text);
    return true;
}

static bool say_logical(const struct io_kind *kind, struct view *view)
{
    if (kind->main->layer != IO_LAYER_STDIO || kind->calls == 0 || kind->logical_calls == 0)
        return false;
    struct buffer text = {0};
    units_add_integer(&text, UNIT_COUNT, kind->logical_calls);
    buffer_printf(&text, " stdio call%s", kind->logical_calls == 1 ? "" : "s");
    if (kind->calls > 1 && kind->logical_calls >= kind->calls)
        buffer_printf(&text, ", %.*f per %s", kind->logical_calls / kind->calls < 10 ? 1 : 0,
                      (double)kind->logical_calls / (double)kind->calls, kind->main->op);
    view->failed |= text.failed;
    io_words_add(view, "%s", buffer_string(&text));
    buffer_fini(&text);
    return true;
}

static bool say_tiny(const struct io_kind *kind, struct view *view)
{
    const struct quantiles *const sizes = &kind->sizes;
    if (sizes->n < CALLS_LEAST || sizes->p99 > TINY_BYTES)
        return false;
    io_words_add(
        view,
        sizes->max == sizes->p99 ? "all of %s%" PRIu64 " byte%s" : "99 %% of %s%" PRIu64 " byte%s",
        sizes->min == sizes->p99 ? "" : "at most ", sizes->p99, sizes->p99 == 1 ? "" : "s");
    return true;
}

static bool say_pattern(const struct io_pattern *pattern, struct view *view)
{
    const uint64_t all =
        site_tree_add(site_tree_add(pattern->consecutive, pattern->strided), pattern->random);
    const bool random = add_part(view, pattern->random, all, "at random positions");
    return add_part(view, pattern->strided, all, "skip ahead") || random;
}

static bool say_random(const struct io_kind *kind, struct view *view)
{
    return say_pattern(&kind->pattern, view);
}

static bool say_blocks(const struct io_kind *kind, struct view *view)
{
    return add_part(view, kind->single_calls, kind->calls, "use a block for that call only") ||
           add_part(view, kind->fresh_calls, kind->calls, "use a block not used before");
}

static bool say_inner(const struct io_kind *kind, struct view *view)
{
    if (kind->calls < CALLS_LEAST ||
        view_share((double)kind->inner_allocs, (double)kind->calls) < SHARE_LEAST)
        return false; /* a few are the buffers of streams */
    say_count(view, kind->inner_allocs, "block allocated inside stdio",
              "blocks allocated inside stdio");
    return true;
}

static bool say_copied(const struct io_kind *kind, struct view *view)
{
    if (kind->copied_bytes == 0)
        return false;
    struct buffer text = {0};
    units_add_integer(&text, UNIT_BYTES, kind->copied_bytes);
    view->failed |= text.failed;
    io_words_add(view, "%s passed on as they were read", buffer_string(&text));
    buffer_fini(&text);
    return true;
}

static bool say_refused(const struct io_kind *kind, struct view *view)
{
    const uint64_t named = kind->would_block + kind->interrupted;
    const uint64_t other = kind->failed > named ? kind->failed - named : 0;
    struct buffer text = {0};
    const struct {
        uint64_t n;
        const char *what;
    } rows[] = {{kind->would_block, "EAGAIN"}, {kind->interrupted, "EINTR"}, {other, "failed"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].n == 0)
            continue;
        buffer_text(&text, text.length > 0 ? ", " : "");
        units_add_integer(&text, UNIT_COUNT, rows[i].n);
        buffer_printf(&text, " %s", rows[i].what);
    }
    const bool any = text.length > 0;
    if (any)
        io_words_add(view, "%s", buffer_string(&text));
    view->failed |= text.failed;
    buffer_fini(&text);
    return any;
}

static bool say_short(const struct io_kind *kind, struct view *view)
{
    return add_part(view, kind->empty, kind->calls, "moved nothing") ||
           add_part(view, kind->short_calls, kind->calls, "moved less than asked for");
}

/* The most telling first. */
static bool (*const remarks[])(const struct io_kind *kind, struct view *view) = {
    say_logical, say_tiny, say_refused, say_random, say_blocks, say_inner, say_copied, say_short,
};

void io_words_of_place(const struct profile *profile, const struct calltree_range *range,
                       struct view *view)
{
    struct io_kind kinds[IO_KINDS_MAX];
    uint64_t more = 0;
    const size_t n = io_kinds_find(profile, range, kinds, &more);
    for (size_t k = 0; k < n && k < KINDS_SHOWN; k++) {
        add_call(&kinds[k], n > 1, view);
        add_usual(&kinds[k], view);
        size_t said = 0;
        for (size_t i = 0; i < sizeof remarks / sizeof *remarks && said < REMARKS_MAX; i++)
            said += remarks[i](&kinds[k], view);
    }
    for (size_t k = KINDS_SHOWN; k < n; k++)
        more = site_tree_add(more, kinds[k].calls);
    if (more > 0)
        say_count(view, more, "call of another kind", "calls of other kinds");
}

static void say_opens(const struct io_file *file, struct view *view)
{
    struct buffer text = {0};
    const struct {
        uint64_t n, least;
        const char *one, *many;
    } rows[] = {{file->opens, 2, "open", "opens"},
                {file->failed_opens, 1, "failed open", "failed opens"},
                {file->stats, 2, "stat", "stats"},
                {file->seeks, 2, "seek", "seeks"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].n < rows[i].least)
            continue;
        buffer_text(&text, text.length > 0 ? ", " : "");
        units_add_integer(&text, UNIT_COUNT, rows[i].n);
        buffer_printf(&text, " %s", rows[i].n == 1 ? rows[i].one : rows[i].many);
    }
    if (text.length > 0)
        io_words_add(view, "%s", buffer_string(&text));
    view->failed |= text.failed;
    buffer_fini(&text);
}

void io_words_of_file(const struct io_file *file, struct view *view)
{
    const double over = view_share((double)file->read_bytes, (double)file->unique_read_bytes);
    if (over >= READ_OVER_LEAST)
        io_words_add(view, "read %.1f times over", over);
    (void)say_pattern(&file->pattern, view);
    say_opens(file, view);
    if (file->fsyncs > 0) {
        struct buffer text = {0};
        units_add_integer(&text, UNIT_COUNT, file->fsyncs);
        buffer_printf(&text, " sync%s, ", file->fsyncs == 1 ? "" : "s");
        units_add_real(&text, UNIT_SECONDS, file->sync_seconds);
        view->failed |= text.failed;
        io_words_add(view, "%s", buffer_string(&text));
        buffer_fini(&text);
    }
    if (file->turns > 1)
        say_count(view, file->turns, "turn between reading and writing",
                  "turns between reading and writing");
}

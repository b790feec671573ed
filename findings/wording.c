/* SPDX-License-Identifier: MIT */
/* How is what a finding holds put into words, whatever the format? */
#include "findings/wording.h"

#include <string.h>

#include "findings/finder.h"
#include "findings/place.h"
#include "report/escape.h"
#include "report/names.h"
#include "report/units.h"

static const char CUT[] = "...";

/* ---- names ---- */

/* The longest part of text[0..n) that ends between characters and leaves room for the mark of a cut. */
static size_t cut_at(const char *text, size_t n)
{
    const size_t most = FINDING_MAX_TEXT_BYTES - (sizeof CUT - 1);
    n = n < most ? n : most;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

void wording_text(struct buffer *out, const char *text, bool ascii_only)
{
    char start[FINDING_MAX_TEXT_BYTES + 1];
    struct buffer escaped = {0};
    const size_t n = strnlen(text, FINDING_MAX_TEXT_BYTES);
    memcpy(start, text, n);
    start[n] = 0;
    escape_text(&escaped, start, ascii_only);
    if (text[n] || escaped.length > FINDING_MAX_TEXT_BYTES) {
        buffer_add(out, escaped.data, cut_at(buffer_string(&escaped), escaped.length));
        buffer_text(out, CUT);
    } else {
        buffer_text(out, buffer_string(&escaped));
    }
    out->failed |= escaped.failed;
    buffer_fini(&escaped);
}

static void add_bounded(struct buffer *out, struct buffer *raw)
{
    wording_text(out, buffer_string(raw), false);
    out->failed |= raw->failed;
    buffer_fini(raw);
}

void wording_function(struct buffer *out, const struct profile_frame *frame)
{
    struct buffer name = {0};
    if (frame)
        names_add_function(&name, frame);
    else
        buffer_text(&name, NAMES_NO_STACK);
    add_bounded(out, &name);
}

/* ---- paths ---- */

/* Remove the last part of an absolute path, as ".." does. */
static void go_up(struct buffer *path)
{
    while (path->length > 0 && path->data[--path->length] != '/')
        ;
    if (path->data)
        path->data[path->length] = 0;
}

/* Compilers name a file by the folder they ran in: "/src/build/../parse.c". */
static void add_clean(struct buffer *out, const char *path)
{
    for (const char *at = path; *at;) {
        const size_t n = strcspn(at + 1, "/");
        const bool is_empty = n == 0 || (n == 1 && at[1] == '.');
        if (n == 2 && at[1] == '.' && at[2] == '.')
            go_up(out);
        else if (!is_empty)
            buffer_add(out, at, n + 1);
        at += n + 1;
    }
}

static const char *below(const char *path, const char *root)
{
    const size_t n = strlen(root);
    return strncmp(path, root, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

void wording_path(struct buffer *out, const char *path, const char *root)
{
    struct buffer clean = {0};
    if (path[0] == '/')
        add_clean(&clean, path);
    else
        buffer_text(&clean, path);
    const char *const shown = buffer_string(&clean);
    wording_text(out, root ? below(shown, root) : shown, false);
    out->failed |= clean.failed;
    buffer_fini(&clean);
}

void wording_location(struct buffer *out, const struct profile_frame *frame, const char *root)
{
    if (!frame)
        return;
    if (!frame->file[0]) {
        wording_text(out, names_base(frame->module), false);
        return;
    }
    wording_path(out, frame->file, root);
    if (frame->line)
        buffer_printf(out, ":%u", frame->line);
}

/* ---- sums ---- */

void wording_count(struct buffer *out, const struct findings *findings)
{
    const char *separator = ": ";
    if (findings->n_all == 0) {
        buffer_text(out, "no findings");
        return;
    }
    units_add_integer(out, UNIT_COUNT, findings->n_all);
    buffer_text(out, findings->n_all == 1 ? " finding" : " findings");
    for (int severity = SEVERITY_CRITICAL; severity >= SEVERITY_INFO; severity--) {
        if (findings->n_severe[severity] == 0)
            continue;
        buffer_printf(out, "%s%zu %s", separator, findings->n_severe[severity],
                      rule_severity_name((enum finding_severity)severity));
        separator = ", ";
    }
}

void wording_service(struct buffer *out, const struct profile *profile)
{
    const struct process *const process = profile->n_processes ? profile->processes : NULL;
    const char *name = profile->n_command ? profile->command[0] : "";
    if (process && process->n_images && process->images[process->n_images - 1].executable[0])
        name = process->images[process->n_images - 1].executable;
    wording_text(out, name[0] ? names_base(name) : "unknown", false);
}

void wording_saves(struct buffer *out, const struct finding *finding)
{
    const struct finding_saves *const saves = &finding->saves;
    const struct {
        struct maybe value;
        enum unit unit;
        double scale;
        const char *what;
    } rows[] = {
        {saves->allocations, UNIT_COUNT, 1, " allocations"},
        {saves->bytes, UNIT_BYTES, 1, " requested"},
        {saves->peak_bytes, UNIT_BYTES, 1, " of the peak"},
        {saves->io_calls, UNIT_COUNT, 1, " I/O calls"},
        {saves->io_bytes, UNIT_BYTES, 1, " of I/O"},
        {saves->seconds, UNIT_NS, 1e9, ""},
    };
    const char *separator = "";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint64_t value = finder_whole(rows[i].value.value * rows[i].scale);
        if (!rows[i].value.known || value == 0)
            continue;
        buffer_text(out, separator);
        units_add_integer(out, rows[i].unit, value);
        buffer_text(out, rows[i].what);
        separator = ", ";
    }
}

static void add_change(struct buffer *out, const char *lead, enum unit unit, struct maybe before,
                       struct maybe after)
{
    const double scale = unit == UNIT_NS ? 1e9 : 1;
    if (!before.known || !after.known)
        return;
    buffer_text(out, lead);
    units_add_integer(out, unit, finder_whole(before.value * scale));
    buffer_text(out, " -> ");
    units_add_integer(out, unit, finder_whole(after.value * scale));
}

void wording_measured(struct buffer *out, const struct finding *finding)
{
    const struct finding_measured *const measured = &finding->measured;
    if (!measured->known)
        return;
    buffer_printf(out, "%s, %u %s", measured->by, measured->runs,
                  measured->runs == 1 ? "run" : "runs");
    add_change(out, ", allocator ", UNIT_NS, measured->seconds_before, measured->seconds_after);
    add_change(out, ", peak ", UNIT_BYTES, measured->peak_bytes_before, measured->peak_bytes_after);
}

const char *wording_whole(enum finding_whole whole)
{
    static const char *const names[] = {
        [OF_ALLOC_COUNT] = "of all allocations", [OF_ALLOC_BYTES] = "of all bytes requested",
        [OF_PEAK_BYTES] = "of the peak",         [OF_LEAKED_BYTES] = "of all bytes leaked",
        [OF_IO_CALLS] = "of all I/O calls",      [OF_IO_BYTES] = "of all bytes read and written",
        [OF_IO_TIME] = "of the time in I/O",     [OF_WALL_TIME] = "of the run time",
    };
    return names[whole];
}

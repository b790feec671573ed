/* SPDX-License-Identifier: MIT */
/* What does this report not know, and how much of the I/O does it? Said first, and only when there is
 * something to say. */
#include "report/cells.h"
#include "report/sections.h"

#include <inttypes.h>

static void note_ends(const struct profile *profile, struct view *view)
{
    if (profile->truncated)
        view_note(view,
                  "the trace was cut at byte %" PRIu64
                  " of what it holds uncompressed (%s): figures cover what came before",
                  profile->cut.offset_bytes, profile->cut.reason);
    if (profile->stopped)
        view_note(view, "recording stopped %.1f s after the start: %s", profile->stopped_seconds,
                  profile->stop_reason);
}

/* Where blocks come from that are freed without an allocation on record. Threads' records reach the
 * trace one thread after the other: where it ends early, a free may be in it and its allocation not. */
static const char *why_unknown(const struct profile *profile)
{
    if (profile->truncated || profile->stopped)
        return "before the end of the trace some threads' records are missing and others' are not; "
               "or memory from before the shim, or from an allocator it does not see";
    if (profile->coverage.lost_events > 0)
        return "it may be among the lost events; or memory from before the shim, or from an "
               "allocator it does not see";
    return "memory from before the shim, or from an allocator it does not see";
}

/* A number of things at the beginning of a note, with its plural. */
static const char *count(struct buffer *text, uint64_t n, const char *one, const char *many)
{
    buffer_reset(text);
    units_add_integer(text, UNIT_COUNT, n);
    buffer_printf(text, " %s", n == 1 ? one : many);
    return buffer_string(text);
}

static void note_losses(const struct profile *profile, struct view *view)
{
    const struct coverage *const coverage = &profile->coverage;
    struct buffer share = {0}, text = {0};
    if (coverage->lost_events > 0) {
        const double all = (double)coverage->events + (double)coverage->lost_events;
        units_add_real(&share, UNIT_SHARE, view_share((double)coverage->lost_events, all));
        view_note(view, "%s lost (%s): counts are lower bounds",
                  count(&text, coverage->lost_events, "event was", "events were"),
                  buffer_string(&share));
    }
    if (coverage->unattached_processes > 0)
        view_note(view, "%s could not be recorded",
                  count(&text, coverage->unattached_processes, "process", "processes"));
    if (coverage->unknown_frees > 0)
        view_note(view, "%s had no recorded allocation (%s)",
                  count(&text, coverage->unknown_frees, "freed block", "freed blocks"),
                  why_unknown(profile));
    if (coverage->unwind_truncated > 0)
        view_note(view,
                  "%s cut, deeper than --depth or at code without unwind tables: the outermost "
                  "callers are missing",
                  count(&text, coverage->unwind_truncated, "stack was", "stacks were"));
    view->failed |= share.failed || text.failed;
    buffer_fini(&share);
    buffer_fini(&text);
}

/* Only what is missing: where all was seen, the last lines of the report say so. */
static void note_kernel(const struct kernel_io *io, struct view *view)
{
    struct buffer text = {0};
    if (!io->known || cells_kernel_is_met(io))
        return;
    cells_add_kernel(&text, io);
    view->failed |= text.failed;
    view_note(view, "%s", buffer_string(&text));
    buffer_fini(&text);
}

int view_coverage(const struct profile *profile, const struct report_options *options,
                  struct view *view_out)
{
    (void)options;
    view_init(view_out, "coverage", "COVERAGE", "what this report knows, and what not");
    note_ends(profile, view_out);
    note_losses(profile, view_out);
    note_kernel(&profile->coverage.kernel_io, view_out);
    view_out->warning = profile->truncated || profile->stopped ||
                        profile->coverage.lost_events > 0 ||
                        profile->coverage.unattached_processes > 0;
    for (uint32_t i = 0; i < profile->n_remarks; i++)
        view_note(view_out, "%s", profile->remarks[i]);
    return 0;
}

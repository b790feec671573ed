/* SPDX-License-Identifier: MIT */
/* How is a cell said in words, whatever the format around it? */
#include "report/cells.h"

#include "report/escape.h"
#include "report/names.h"

void cells_add(struct buffer *out, const struct view_cell *cell, bool ascii_only)
{
    struct buffer name = {0};
    switch (cell->unit) {
    case UNIT_NONE:
    case UNIT_BAR: break;
    case UNIT_PATH: escape_text(out, cell->lead ? cell->lead : "", ascii_only); /* fall through */
    case UNIT_TEXT: escape_text(out, cell->text ? cell->text : "", ascii_only); break;
    case UNIT_FRAME:
        names_add_function(&name, cell->frame);
        escape_text(out, buffer_string(&name), ascii_only);
        break;
    case UNIT_COUNT:
    case UNIT_BYTES:
    case UNIT_NS: units_add_integer(out, cell->unit, cell->integer); break;
    default: units_add_real(out, cell->unit, cell->real); break;
    }
    out->failed |= name.failed;
    buffer_fini(&name);
}

bool cells_is_left(enum unit unit)
{
    return unit == UNIT_TEXT || unit == UNIT_PATH || unit == UNIT_FRAME || unit == UNIT_BAR;
}

void cells_add_run(struct buffer *out, const struct profile *profile, bool ascii_only)
{
    struct buffer command = {0};
    names_add_command(&command, profile->command, profile->n_command);
    escape_text(out, buffer_string(&command), ascii_only);
    out->failed |= command.failed;
    buffer_fini(&command);
}

void cells_add_facts(struct buffer *out, const struct profile *profile, bool ascii_only)
{
    if (profile->started[0]) {
        escape_text(out, profile->started, ascii_only);
        buffer_text(out, ", ");
    }
    units_add_real(out, UNIT_SECONDS, profile->duration_seconds);
    buffer_text(out, ", ");
    names_add_status(out, profile->has_status, profile->wait_status);
    buffer_text(out, ", trace ");
    escape_text(out, profile->trace_name, ascii_only);
}

void cells_add_scope(struct buffer *out, const struct profile *profile, uint32_t process_id,
                     bool ascii_only)
{
    for (uint32_t i = 0; process_id && i < profile->n_processes; i++) {
        const struct process *process = &profile->processes[i];
        if (process->id != process_id || process->n_images == 0)
            continue;
        const struct process_image *image = &process->images[process->n_images - 1];
        struct buffer command = {0};
        names_add_command(&command, image->arguments, image->n_arguments);
        buffer_printf(out, "figures of process %u alone: ", (unsigned)process_id);
        escape_text(out, buffer_string(&command), ascii_only);
        out->failed |= command.failed;
        buffer_fini(&command);
    }
}

void cells_add_summary(struct buffer *out, const struct profile *profile)
{
    const struct metrics *m = &profile->totals;
    uint64_t calls = 0;
    if (__builtin_add_overflow(m->alloc_count, m->realloc_count, &calls))
        calls = UINT64_MAX;
    units_add_real(out, UNIT_SECONDS, profile->totals.duration_seconds);
    buffer_text(out, ", ");
    units_add_integer(out, UNIT_COUNT, calls);
    buffer_text(out, " calls (");
    units_add_real(out, UNIT_RATE, view_share((double)calls, profile->totals.duration_seconds));
    buffer_text(out, "), peak ");
    units_add_integer(out, UNIT_BYTES, m->peak_bytes);
    buffer_text(out, ", leaked ");
    units_add_integer(out, UNIT_BYTES, m->leaked_bytes);
    buffer_text(out, ", ");
    units_add_integer(out, UNIT_COUNT, m->lost_events);
    buffer_text(out, " events lost");
}

void cells_add_io_summary(struct buffer *out, const struct profile *profile)
{
    const struct metrics *m = &profile->totals;
    if (!profile->io_recorded)
        return;
    buffer_text(out, "read ");
    units_add_integer(out, UNIT_BYTES, m->io_read_bytes);
    buffer_text(out, " in ");
    units_add_integer(out, UNIT_COUNT, m->io_read_calls);
    buffer_printf(out, " call%s, wrote ", m->io_read_calls == 1 ? "" : "s");
    units_add_integer(out, UNIT_BYTES, m->io_write_bytes);
    buffer_text(out, " in ");
    units_add_integer(out, UNIT_COUNT, m->io_write_calls);
    buffer_text(out, ", ");
    units_add_real(out, UNIT_SECONDS, m->io_seconds);
    buffer_text(out, " in I/O");
}

static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

bool cells_kernel_is_met(const struct kernel_io *io)
{
    return io->known && io->comparable && io->seen_write_calls == io->write_calls &&
           add(io->seen_read_calls, io->loader_read_calls) == io->read_calls;
}

void cells_add_kernel(struct buffer *out, const struct kernel_io *io)
{
    const uint64_t whole = add(io->read_calls, io->write_calls);
    const uint64_t found =
        add(add(io->seen_read_calls, io->seen_write_calls), io->loader_read_calls);
    units_add_integer(out, UNIT_COUNT, found);
    buffer_text(out, " of ");
    units_add_integer(out, UNIT_COUNT, whole);
    buffer_text(out, " kernel reads/writes attributed (");
    units_add_real(out, UNIT_SHARE, whole ? view_share((double)found, (double)whole) : 1);
    buffer_text(out, ")");
    if (io->loader_read_calls > 0) {
        buffer_text(out, ", ");
        units_add_integer(out, UNIT_COUNT, io->loader_read_calls);
        buffer_text(out, " of them before recording began");
    }
    buffer_text(out, io->comparable ? "" : "; not all can be compared");
}

/* SPDX-License-Identifier: MIT */
/* How is a cell of the csv table written? */
#include "report/csv.h"

#include "report/escape.h"
#include "report/names.h"

#include <inttypes.h>
#include <string.h>

static void begin(struct csv *table)
{
    if (!table->first)
        fputc(',', table->out);
    table->first = false;
}

void csv_end_row(struct csv *table)
{
    fputs("\r\n", table->out);
    table->first = true;
}

void csv_text(struct csv *table, const char *raw)
{
    struct buffer text = {0};
    begin(table);
    escape_text(&text, raw, false);
    const char *at = buffer_string(&text);
    const bool formula = *at && strchr("=+-@", *at) != NULL;
    const bool quoted = strpbrk(at, ",;\"\r\n") != NULL || *at == ' ';
    fputs(quoted ? "\"" : "", table->out);
    fputs(formula ? "'" : "", table->out);
    for (; *at; at++) {
        if (*at == '"')
            fputc('"', table->out);
        fputc(*at, table->out);
    }
    fputs(quoted ? "\"" : "", table->out);
    table->failed |= text.failed;
    buffer_fini(&text);
}

void csv_number(struct csv *table, uint64_t value)
{
    begin(table);
    fprintf(table->out, "%" PRIu64, value);
}

void csv_metric(struct csv *table, struct metric_value value)
{
    begin(table);
    if (!value.present)
        return;
    if (value.is_real)
        fprintf(table->out, "%.9g", value.real);
    else
        fprintf(table->out, "%" PRIu64, value.integer);
}

void csv_empty(struct csv *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        begin(table);
}

void csv_command(struct csv *table, const char *const *words, size_t n)
{
    struct buffer command = {0};
    names_add_command(&command, words, n);
    csv_text(table, buffer_string(&command));
    table->failed |= command.failed;
    buffer_fini(&command);
}

void csv_stack(struct csv *table, const struct profile *profile, const struct site *site)
{
    struct buffer stack = {0};
    for (uint32_t i = site->n_frames; i-- > 0;) {
        const struct profile_frame *frame = names_frame(profile, site, i);
        const size_t start = stack.length;
        if (frame)
            names_add_function(&stack, frame);
        for (size_t at = start; at < stack.length; at++)
            if (stack.data[at] == ';')
                stack.data[at] = ':';
        buffer_text(&stack, i ? ";" : "");
    }
    csv_text(table, buffer_string(&stack));
    table->failed |= stack.failed;
    buffer_fini(&stack);
}

void csv_place(struct csv *table, const struct profile_frame *frame)
{
    struct buffer name = {0};
    if (frame)
        names_add_function(&name, frame);
    else
        buffer_text(&name, NAMES_NO_STACK);
    csv_text(table, buffer_string(&name));
    csv_text(table, frame ? frame->file : "");
    if (frame && frame->line)
        csv_number(table, frame->line);
    else
        csv_empty(table, 1);
    csv_text(table, frame ? frame->module : "");
    table->failed |= name.failed;
    buffer_fini(&name);
}

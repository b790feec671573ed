/* SPDX-License-Identifier: MIT */
/* What is known of how call sites behave, for tests to look into:
 *
 *   print-habits [--raw] TRACE
 *
 * With --raw stacks are as recorded, without names: none of their frames is left out or inlined.
 * A JSON object a line: a site of allocations, of I/O, of calls that name a path, told apart by "kind". Keys are
 * the fields of reader/habits.h; "function" is the one at the place, "calls" and "alloc_count" are the site's. */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "reader/habits.h"
#include "reader/profile.h"
#include "report/jvalue.h"

enum kind { COUNT, REAL, TEXT };

struct field {
    const char *key;
    size_t offset;
    enum kind kind;
};

#define FIELD(type, member, kind)                                                                  \
    {                                                                                              \
#member, offsetof(struct type, member), kind                                               \
    }

static const struct field site_fields[] = {
    FIELD(site_habits, calloc_count, COUNT),
    FIELD(site_habits, aligned_count, COUNT),
    FIELD(site_habits, alignment_bytes, COUNT),
    FIELD(site_habits, first_alloc_seconds, REAL),
    FIELD(site_habits, last_alloc_seconds, REAL),
    FIELD(site_habits, slots_999, COUNT),
    FIELD(site_habits, freed_elsewhere_count, COUNT),
    FIELD(site_habits, burst_count, COUNT),
    FIELD(site_habits, n_bursts, COUNT),
    FIELD(site_habits, fleeting_count, COUNT),
    FIELD(site_habits, fleeting_bytes, COUNT),
    FIELD(site_habits, freed_seen_count, COUNT),
};

static const struct field burst_fields[] = {
    FIELD(burst, id, COUNT),
    FIELD(burst, count, COUNT),
    FIELD(burst, bytes, COUNT),
    FIELD(burst, first_born_seconds, REAL),
    FIELD(burst, last_born_seconds, REAL),
    FIELD(burst, died_seconds, REAL),
};

static const struct field growth_fields[] = {
    FIELD(growth, steps, COUNT),           FIELD(growth, copied_bytes, COUNT),
    FIELD(growth, chains, COUNT),          FIELD(growth, final_max_bytes, COUNT),
    FIELD(growth, final_sum_bytes, COUNT), FIELD(growth, longest_steps, COUNT),
};

static const struct field io_fields[] = {
    FIELD(io_habits, adjacent_bytes, COUNT),
    FIELD(io_habits, answer_calls, COUNT),
    FIELD(io_habits, reply_seconds, REAL),
    FIELD(io_habits, reply_bytes, COUNT),
    FIELD(io_habits, request_bytes, COUNT),
    FIELD(io_habits, after_seek_calls, COUNT),
    FIELD(io_habits, synced_calls, COUNT),
    FIELD(io_habits, synced_seconds, REAL),
    FIELD(io_habits, backward_calls, COUNT),
    FIELD(io_habits, reread_bytes, COUNT),
    FIELD(io_habits, whole_file_calls, COUNT),
    FIELD(io_habits, whole_file_bytes, COUNT),
    FIELD(io_habits, copied_elsewhere_calls, COUNT),
    FIELD(io_habits, longest_dry_run, COUNT),
    FIELD(io_habits, thread, TEXT),
    FIELD(io_habits, longest_seconds, REAL),
};

static const struct field path_fields[] = {
    FIELD(path_site, op, TEXT),
    FIELD(path_site, path, TEXT),
    FIELD(path_site, calls, COUNT),
    FIELD(path_site, failed, COUNT),
    FIELD(path_site, repeated_calls, COUNT),
    FIELD(path_site, path_calls, COUNT),
    FIELD(path_site, n_paths, COUNT),
    FIELD(path_site, seconds, REAL),
};

#define N_OF(array) (sizeof(array) / sizeof *(array))

static json_t *value_of(const struct field *field, const void *object)
{
    const void *const at = (const char *)object + field->offset;
    switch (field->kind) {
    case REAL: return jvalue_real(*(const double *)at);
    case TEXT: return jvalue_text(*(const char *const *)at);
    default: return jvalue_number(*(const uint64_t *)at);
    }
}

static void set_fields(json_t **line, const struct field *fields, size_t n, const void *object)
{
    for (size_t i = 0; i < n; i++)
        jvalue_set(line, fields[i].key, value_of(&fields[i], object));
}

static json_t *object_of(const struct field *fields, size_t n, const void *object)
{
    json_t *made = json_object();
    set_fields(&made, fields, n, object);
    return made;
}

static json_t *function_of(const struct profile *profile, const struct site *stack)
{
    return stack->n_frames ? jvalue_text(profile->frames[stack->frames[stack->place]].function)
                           : json_null();
}

static json_t *line_of(const struct profile *profile, const char *kind, const struct site *stack)
{
    json_t *line = json_object();
    jvalue_set(&line, "kind", jvalue_text(kind));
    jvalue_set(&line, "function", function_of(profile, stack));
    return line;
}

/* ---- allocations ---- */

static json_t *numbers(const uint64_t *values, size_t n)
{
    json_t *const list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, jvalue_number(values[i]));
    return list;
}

static json_t *freed_at_of(const struct profile *profile, const struct site_habits *habits)
{
    json_t *const list = json_array();
    for (uint32_t i = 0; i < habits->n_freed_at; i++) {
        const struct freed_at *const at = &habits->freed_at[i];
        const struct site stack = {
            .n_frames = at->n_frames, .frames = at->frames, .place = at->place};
        json_t *row = json_object();
        jvalue_set(&row, "function", function_of(profile, &stack));
        jvalue_set(&row, "count", jvalue_number(at->count));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *stack_list(const struct profile *profile, const struct site *site)
{
    json_t *const list = json_array();
    for (uint32_t i = 0; i < site->n_frames; i++) {
        const struct profile_frame *const frame = &profile->frames[site->frames[i]];
        json_t *const place = json_array();
        json_array_append_new(place, jvalue_text(frame->module));
        json_array_append_new(place, jvalue_number(frame->offset));
        json_array_append_new(list, place);
    }
    return list;
}

static json_t *site_line(const struct profile *profile, size_t i)
{
    const struct site *const site = &profile->sites[i];
    const struct site_habits *const habits = site->habits;
    json_t *line = line_of(profile, "site", site);
    jvalue_set(&line, "stack", stack_list(profile, site));
    jvalue_set(&line, "alloc_count", jvalue_number(site->metrics.alloc_count));
    jvalue_set(&line, "leaked_count", jvalue_number(site->metrics.leaked_count));
    if (!habits)
        return line;
    set_fields(&line, site_fields, N_OF(site_fields), habits);
    json_t *burst = object_of(burst_fields, N_OF(burst_fields), &habits->largest_burst);
    jvalue_set(&burst, "process_id", jvalue_number(habits->largest_burst.process_id));
    jvalue_set(&line, "largest_burst", burst);
    jvalue_set(&line, "growth", object_of(growth_fields, N_OF(growth_fields), &habits->growth));
    jvalue_set(&line, "leaked_born", numbers(habits->leaked_born, HABITS_EIGHTHS));
    jvalue_set(&line, "leaked_born_bytes", numbers(habits->leaked_born_bytes, HABITS_EIGHTHS));
    jvalue_set(&line, "freed_at", freed_at_of(profile, habits));
    return line;
}

/* ---- input and output ---- */

static struct site stack_of(const struct io_site *site)
{
    return (struct site){.n_frames = site->n_frames, .frames = site->frames, .place = site->place};
}

static json_t *before_of(const struct profile *profile, const struct io_before *before)
{
    json_t *object = json_object();
    jvalue_set(&object, "count", jvalue_number(before->count));
    if (!before->site)
        return object;
    const struct site stack = stack_of(before->site);
    jvalue_set(&object, "function", function_of(profile, &stack));
    jvalue_set(&object, "op", jvalue_text(before->site->op));
    return object;
}

static json_t *io_site_line(const struct profile *profile, size_t i)
{
    const struct io_site *const site = &profile->io_sites[i];
    const struct site stack = stack_of(site);
    json_t *line = line_of(profile, "io_site", &stack);
    jvalue_set(&line, "op", jvalue_text(site->op));
    jvalue_set(&line, "layer", jvalue_text(site->layer == IO_LAYER_STDIO ? "stdio" : "syscall"));
    jvalue_set(&line, "calls", jvalue_number(site->calls));
    if (!site->habits)
        return line;
    set_fields(&line, io_fields, N_OF(io_fields), site->habits);
    jvalue_set(&line, "adjacent", before_of(profile, &site->habits->adjacent));
    jvalue_set(&line, "reply", before_of(profile, &site->habits->reply));
    return line;
}

static json_t *path_site_line(const struct profile *profile, size_t i)
{
    const struct path_site *const site = &profile->path_sites[i];
    const struct site stack = {
        .n_frames = site->n_frames, .frames = site->frames, .place = site->place};
    json_t *line = line_of(profile, "path_site", &stack);
    set_fields(&line, path_fields, N_OF(path_fields), site);
    return line;
}

/* ---- all of it ---- */

static int put_lines(const struct profile *profile, size_t n,
                     json_t *(*line_at)(const struct profile *profile, size_t i))
{
    int error = 0;
    for (size_t i = 0; i < n && error == 0; i++) {
        error = jvalue_put(line_at(profile, i), stdout);
        putchar('\n');
    }
    return error;
}

int main(int argc, char **argv)
{
    const bool is_raw = argc == 3 && strcmp(argv[1], "--raw") == 0, is_usable = argc == 2 || is_raw;
    const struct profile_options options = {.habits = true, .no_symbols = is_raw};
    struct profile *profile;
    struct trace_error error;
    if (!is_usable || profile_load(argv[argc - 1], &options, &profile, &error)) {
        fprintf(stderr, "print-habits: %s\n", is_usable ? error.reason : "one trace is wanted");
        return 1;
    }
    int failed = put_lines(profile, profile->n_sites, site_line);
    if (!failed)
        failed = put_lines(profile, profile->n_io_sites, io_site_line);
    if (!failed)
        failed = put_lines(profile, profile->n_path_sites, path_site_line);
    profile_free(profile);
    return failed || fflush(stdout) ? 1 : 0;
}

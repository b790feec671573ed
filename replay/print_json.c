/* SPDX-License-Identifier: MIT */
/* The result as the document heapwise-replay/1. */
#include "replay/replay.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

/* Set a key; `value` is taken over. Where memory ran out *object becomes NULL, and stays that. */
static void set(json_t **object, const char *key, json_t *value)
{
    if (*object && value && json_object_set_new(*object, key, value) == 0)
        return;
    if (!*object)
        json_decref(value);
    json_decref(*object);
    *object = NULL;
}

static json_t *number(uint64_t value)
{
    return value <= INT64_MAX ? json_integer((json_int_t)value) : json_real((double)value);
}

/* A path or name: bytes that are no UTF-8 are shown as question marks. */
static json_t *text(const char *value)
{
    json_t *const whole = json_string(value);
    char shown[4096];
    if (whole)
        return whole;
    snprintf(shown, sizeof shown, "%s", value);
    for (char *at = shown; *at; at++)
        if ((unsigned char)*at >= 128)
            *at = '?';
    return json_string(shown);
}

static json_t *spread(const struct replay_spread *spread)
{
    json_t *object = json_object();
    set(&object, "median", json_real(spread->median));
    set(&object, "min", json_real(spread->least));
    set(&object, "max", json_real(spread->most));
    return object;
}

/* Null where no call was timed. */
static json_t *timed(const struct replay_spread *ns)
{
    return ns->most > 0 ? spread(ns) : json_null();
}

static json_t *variant_json(const struct replay_variant *variant)
{
    json_t *call = json_object(), *object = json_object();
    set(&call, "allocate", timed(&variant->call_ns[OPS_ACQUIRES]));
    set(&call, "resize", timed(&variant->call_ns[OPS_RESIZES]));
    set(&call, "free", timed(&variant->call_ns[OPS_RELEASES]));
    set(&object, "allocator", text(variant->allocator));
    set(&object, "module", text(variant->module));
    set(&object, "plan_rows",
        variant->row < 0   ? json_string("all")
        : variant->row > 0 ? json_integer(variant->row)
                           : json_string("none"));
    set(&object, "seconds", spread(&variant->seconds));
    set(&object, "ns_per_call", spread(&variant->ns_per_call));
    set(&object, "call_ns", call);
    set(&object, "page_faults", spread(&variant->faults));
    set(&object, "peak_rss_bytes", spread(&variant->peak_rss_bytes));
    set(&object, "rss_at_peak_bytes", spread(&variant->rss_at_peak_bytes));
    set(&object, "live_at_peak_bytes", spread(&variant->live_at_peak_bytes));
    set(&object, "fragmentation", spread(&variant->fragmentation));
    set(&object, "wall_seconds", spread(&variant->wall_seconds));
    set(&object, "failed_calls", number(variant->n_failed));
    return object;
}

static json_t *row_json(const struct replay_row *row)
{
    json_t *object = json_object();
    set(&object, "site", text(row->plan->site));
    set(&object, "technique", text(plan_technique_name(row->plan->technique)));
    set(&object, "group", number(row->plan->group));
    set(&object, "bytes", number(row->plan->bytes));
    set(&object, "slots", number(row->plan->slots));
    set(&object, "found", json_boolean(row->is_found));
    set(&object, "served", number(row->n_served));
    set(&object, "overflowed", number(row->n_overflowed));
    set(&object, "freed", number(row->n_releases));
    set(&object, "call_ns_before", timed(&row->call_ns_before));
    set(&object, "call_ns_after", timed(&row->call_ns_after));
    set(&object, "saved_seconds_alone",
        row->alone >= 0 ? json_real(row->saved_seconds) : json_null());
    return object;
}

static json_t *calls(const struct replay_result *result)
{
    json_t *object = json_object();
    set(&object, "malloc", number(result->n_calls[OPS_MALLOC]));
    set(&object, "calloc", number(result->n_calls[OPS_CALLOC]));
    set(&object, "aligned", number(result->n_calls[OPS_ALIGNED]));
    set(&object, "resize", number(result->n_calls[OPS_RESIZE]));
    set(&object, "free", number(result->n_calls[OPS_RELEASE]));
    return object;
}

static json_t *coverage(const struct replay_result *result)
{
    const struct program_counts *const counts = &result->counts;
    json_t *object = json_object();
    set(&object, "lost_events", number(result->lost_events));
    set(&object, "truncated", json_boolean(result->is_truncated));
    set(&object, "resizes_as_allocations", number(counts->unknown_resizes));
    set(&object, "failed_resizes_left_out", number(counts->failed_resizes));
    set(&object, "unknown_frees_left_out", number(counts->unknown_releases));
    set(&object, "inherited_frees_left_out", number(counts->inherited_releases));
    set(&object, "frees_added", number(counts->inferred_releases));
    return object;
}

static json_t *variants(const struct replay_result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->n_variants; i++)
        if (json_array_append_new(array, variant_json(&result->variants[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *rows(const struct replay_result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->n_rows; i++)
        if (json_array_append_new(array, row_json(&result->rows[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

int replay_print_json(const struct replay_result *result, const char *trace, FILE *out)
{
    json_t *tool = json_object(), *object = json_object();
    set(&tool, "name", json_string("heapwise"));
    set(&tool, "version", json_string(HEAPWISE_VERSION));
    set(&object, "schema", json_string("heapwise-replay/1"));
    set(&object, "tool", tool);
    set(&object, "trace", text(trace));
    set(&object, "process", number(result->process_id));
    set(&object, "threads", number(result->n_threads));
    set(&object, "runs", number(result->n_runs));
    set(&object, "calls", calls(result));
    set(&object, "coverage", coverage(result));
    set(&object, "peak_bytes", number(result->counts.peak_bytes));
    set(&object, "recorded_seconds",
        result->recorded_seconds > 0 ? json_real(result->recorded_seconds) : json_null());
    set(&object, "compile_seconds", json_real(result->compile_seconds));
    set(&object, "empty_seconds", spread(&result->empty_seconds));
    set(&object, "variants", variants(result));
    set(&object, "rows", rows(result));
    const int failed = object ? json_dumpf(object, out, JSON_INDENT(1)) : -1;
    json_decref(object);
    fputc('\n', out);
    return failed ? -ENOMEM : 0;
}

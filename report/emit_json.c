/* SPDX-License-Identifier: MIT */
/* The document heapwise-report/1.
 *
 * The root is written key by key and each array element by element, so that memory does not grow
 * with the number of call sites; a value on its own is built and encoded by jansson. */
#include "report/escape.h"
#include "report/names.h"
#include "report/report.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>

/* Turn an unsigned number into JSON. What does not fit jansson's signed integers comes from a damaged
 * trace only; it is written as a real number. */
static json_t *number(uint64_t value)
{
    return value <= INT64_MAX ? json_integer((json_int_t)value) : json_real((double)value);
}

static json_t *real(double value)
{
    return json_real(isfinite(value) ? value : 0);
}

static json_t *text(const char *value)
{
    struct buffer valid = {0};
    escape_invalid(&valid, value);
    json_t *json = valid.failed ? NULL : json_stringn(buffer_string(&valid), valid.length);
    buffer_fini(&valid);
    return json;
}

static json_t *text_or_null(const char *value)
{
    return value[0] ? text(value) : json_null();
}

/* A list of words. NULL items, from an allocation that failed, make the whole fail. */
static json_t *words(const char *const *values, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        if (json_array_append_new(array, text(values[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* Set a key, remembering failure; `value` is taken over. */
static void set(json_t **object, const char *key, json_t *value)
{
    if (!*object) {
        json_decref(value);
        return;
    }
    if (json_object_set_new(*object, key, value) != 0) {
        json_decref(*object);
        *object = NULL;
    }
}

static json_t *metric_json(struct metric_value value)
{
    if (!value.present)
        return json_null();
    return value.is_real ? real(value.real) : number(value.integer);
}

static json_t *quantiles(const struct quantiles *q, bool with_min)
{
    if (q->n == 0 && !with_min)
        return json_null();
    json_t *object = json_object();
    if (with_min)
        set(&object, "min", number(q->min));
    set(&object, "p50", number(q->p50));
    set(&object, "p95", number(q->p95));
    set(&object, "p99", number(q->p99));
    set(&object, "max", number(q->max));
    return object;
}

/* With how many were timed, so that few can be told from many. */
static json_t *timed(const struct quantiles *q)
{
    json_t *object = quantiles(q, false);
    if (q->n > 0)
        set(&object, "timed", number(q->n));
    return object;
}

static json_t *totals(const struct metrics *metrics, const struct quantiles *lifetime)
{
    json_t *object = json_object();
    for (size_t i = 0; i < metrics_count(); i++) {
        const struct metric *metric = metrics_at(i);
        if (metric->scope != METRIC_SITE)
            set(&object, metric->name, metric_json(metrics_of_process(metric, metrics)));
    }
    set(&object, "lifetime_ns", lifetime ? quantiles(lifetime, false) : json_null());
    return object;
}

static json_t *coverage(const struct coverage *coverage)
{
    json_t *unwind = json_object();
    set(&unwind, "fast", number(coverage->unwind_fast));
    set(&unwind, "fallback", number(coverage->unwind_fallback));
    set(&unwind, "truncated", number(coverage->unwind_truncated));
    json_t *object = json_object();
    set(&object, "events", number(coverage->events));
    set(&object, "lost_events", number(coverage->lost_events));
    set(&object, "unknown_frees", number(coverage->unknown_frees));
    set(&object, "inherited_frees", number(coverage->inherited_frees));
    set(&object, "unattached_processes", number(coverage->unattached_processes));
    set(&object, "threads", number(coverage->threads));
    set(&object, "processes", number(coverage->processes));
    set(&object, "unwind", unwind);
    set(&object, "io_kernel", json_null());
    return object;
}

static void set_status(json_t **object, bool has_status, int status)
{
    set(object, "exit_code",
        has_status && WIFEXITED(status) ? json_integer(WEXITSTATUS(status)) : json_null());
    set(object, "exit_signal",
        has_status && WIFSIGNALED(status) ? json_integer(WTERMSIG(status)) : json_null());
}

static json_t *run(const struct profile *profile, uint32_t process_id)
{
    json_t *host = json_object();
    set(&host, "kernel", text(profile->kernel));
    set(&host, "libc", text(profile->libc));
    set(&host, "cpu", text(profile->cpu));
    set(&host, "cores", json_integer(profile->n_cores));
    set(&host, "allocator", text(profile->allocator));

    json_t *object = json_object();
    set(&object, "command", words(profile->command, profile->n_command));
    set(&object, "trace", text(profile->trace_name));
    set(&object, "started", text(profile->started));
    set(&object, "duration_seconds", real(profile->duration_seconds));
    set_status(&object, profile->has_status, profile->wait_status);
    set(&object, "sampled", json_boolean(profile->sampled));
    set(&object, "truncated", json_boolean(profile->truncated));
    set(&object, "truncated_reason", profile->truncated ? text(profile->cut.reason) : json_null());
    set(&object, "stopped_reason", profile->stopped ? text(profile->stop_reason) : json_null());
    set(&object, "stopped_seconds",
        profile->stopped ? real(profile->stopped_seconds) : json_null());
    set(&object, "recorded_by", text(profile->tool_version));
    set(&object, "only_process", process_id ? json_integer(process_id) : json_null());
    set(&object, "remarks", words(profile->remarks, profile->n_remarks));
    set(&object, "marks", words(profile->marks, profile->n_marks));
    set(&object, "host", host);
    return object;
}

static json_t *summary_of_leaks(const struct profile *profile)
{
    json_t *object = json_object();
    set(&object, "runtime_count", number(profile->runtime_leaked_count));
    set(&object, "runtime_bytes", number(profile->runtime_leaked_bytes));
    set(&object, "suppressed_count", number(profile->suppressed_leaked_count));
    set(&object, "suppressed_bytes", number(profile->suppressed_leaked_bytes));
    return object;
}

static json_t *tool(void)
{
    json_t *object = json_object();
    set(&object, "name", json_string("heapwise"));
    set(&object, "version", json_string(HEAPWISE_VERSION));
    return object;
}

static json_t *root_totals(const struct profile *profile)
{
    json_t *object = totals(&profile->totals, &profile->lifetime_ns);
    set(&object, "sizes", quantiles(&profile->sizes, true));
    set(&object, "peak_seconds", real(profile->peak_seconds));
    set(&object, "peak_rss_bytes", number(profile->peak_rss_bytes));
    set(&object, "leaked_apart", summary_of_leaks(profile));
    return object;
}

static json_t *execs(const struct process *process)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i + 1 < process->n_images; i++) {
        json_t *object = json_object();
        set(&object, "executable", text(process->images[i].executable));
        set(&object, "command",
            words(process->images[i].arguments, process->images[i].n_arguments));
        if (json_array_append_new(array, object) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *process_json(const struct profile *profile, size_t i)
{
    static const struct process_image no_image = {.executable = ""};
    const struct process *process = &profile->processes[i];
    const struct process_image *image =
        process->n_images ? &process->images[process->n_images - 1] : &no_image;
    json_t *object = json_object();
    set(&object, "id", json_integer(process->id));
    set(&object, "pid", json_integer(process->pid));
    set(&object, "parent_id", process->parent_id ? json_integer(process->parent_id) : json_null());
    set(&object, "command", words(image->arguments, image->n_arguments));
    set(&object, "executable", text(image->executable));
    set(&object, "execs", execs(process));
    set(&object, "allocator", text(process->allocator));
    set(&object, "started_seconds", real(process->started_seconds));
    set(&object, "threads", json_integer(process->n_threads));
    set_status(&object, process->has_status, process->wait_status);
    set(&object, "totals", totals(&process->totals, NULL));
    set(&object, "coverage", coverage(&process->coverage));
    return object;
}

/* function, file, line, module: the same four keys for a site and for a frame. */
static void set_place(json_t **object, const struct profile_frame *frame)
{
    struct buffer name = {0};
    if (frame)
        names_add_function(&name, frame);
    else
        buffer_text(&name, NAMES_NO_STACK);
    set(object, "function", name.failed ? NULL : text(buffer_string(&name)));
    set(object, "file", frame ? text_or_null(frame->file) : json_null());
    set(object, "line", frame && frame->line ? json_integer(frame->line) : json_null());
    set(object, "module", text(frame ? frame->module : ""));
    buffer_fini(&name);
}

static json_t *stack(const struct profile *profile, const struct site *site)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < site->n_frames; i++) {
        const struct profile_frame *frame = names_frame(profile, site, i);
        json_t *object = json_object();
        set_place(&object, frame);
        set(&object, "inlined", json_boolean(frame && frame->inlined));
        if (json_array_append_new(array, object) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *site_json(const struct profile *profile, const struct site *site)
{
    static const char *const owners[] = {
        [LEAK_PROGRAM] = "program", [LEAK_RUNTIME] = "runtime", [LEAK_SUPPRESSED] = "suppressed"};
    json_t *object = json_object();
    set(&object, "id", text(site->id));
    set_place(&object, names_place(profile, site));
    set(&object, "place", json_integer(site->place < site->n_frames ? site->place : 0));
    for (size_t i = 0; i < metrics_count(); i++) {
        const struct metric *metric = metrics_at(i);
        if (metric->scope == METRIC_ANY || metric->scope == METRIC_SITE)
            set(&object, metric->name,
                metric_json(metrics_of_site(metric, site, profile->totals.duration_seconds)));
    }
    set(&object, "sizes", quantiles(&site->sizes, true));
    set(&object, "lifetime_ns", quantiles(&site->lifetime_ns, false));
    set(&object, "alloc_call_ns", timed(&site->alloc_call_ns));
    set(&object, "free_call_ns", timed(&site->free_call_ns));
    set(&object, "threads", json_integer(site->n_threads));
    set(&object, "leak_owner",
        json_string(owners[site->leak_owner <= LEAK_SUPPRESSED ? site->leak_owner : 0]));
    set(&object, "stack", stack(profile, site));
    return object;
}

static json_t *point_json(const struct profile *profile, size_t i)
{
    const struct timeline_point *point = &profile->timeline[i];
    json_t *object = json_object();
    set(&object, "t_seconds", real(point->t_seconds));
    set(&object, "live_bytes", number(point->live_bytes));
    set(&object, "alloc_count", number(point->alloc_count));
    set(&object, "alloc_bytes", number(point->alloc_bytes));
    set(&object, "rss_bytes", number(point->rss_bytes));
    set(&object, "io_read_bytes", json_null());
    set(&object, "io_write_bytes", json_null());
    return object;
}

static json_t *bucket_json(const struct profile *profile, size_t i)
{
    const struct size_bucket *bucket = &profile->size_buckets[i];
    json_t *object = json_object();
    set(&object, "lower_bytes", number(bucket->lower_bytes));
    set(&object, "upper_bytes", number(bucket->upper_bytes));
    set(&object, "alloc_count", number(bucket->alloc_count));
    set(&object, "alloc_bytes", number(bucket->alloc_bytes));
    set(&object, "temporary_count", number(bucket->temporary_count));
    set(&object, "lifetime_ns", quantiles(&bucket->lifetime_ns, false));
    return object;
}

/* Write one value; it is released. */
static int put(json_t *value, FILE *out)
{
    if (!value)
        return -ENOMEM;
    /* Failing to write is seen by whoever closes `out`; failing to encode cannot happen to a value
     * built of valid text and finite numbers. */
    (void)json_dumpf(value, out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
    json_decref(value);
    return 0;
}

static int put_key(const char *key, json_t *value, FILE *out)
{
    fprintf(out, ",\n\"%s\":", key);
    return put(value, out);
}

/* Write `n` elements under a key, one per line. */
static int put_array(const char *key, const struct profile *profile, size_t n,
                     json_t *(*element)(const struct profile *profile, size_t i), FILE *out)
{
    fprintf(out, ",\n\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ",\n" : "\n", out);
        const int result = put(element(profile, i), out);
        if (result < 0)
            return result;
    }
    fputs("]", out);
    return 0;
}

static int put_sites(const struct profile *profile, const struct report_options *options, FILE *out)
{
    const struct site **sites = NULL;
    size_t n = 0;
    int result = report_pick_sites(profile, options, &sites, &n);
    if (result < 0)
        return result;
    fputs(",\n\"call_sites\":[", out);
    for (size_t i = 0; i < n && result == 0; i++) {
        fputs(i ? ",\n" : "\n", out);
        result = put(site_json(profile, sites[i]), out);
    }
    fprintf(out, "],\n\"call_sites_total\":%zu", profile->n_sites);
    free(sites);
    return result;
}

int emit_json(const struct profile *profile, const struct report_options *options, FILE *out)
{
    fputs("{\"schema\":\"heapwise-report/1\"", out);
    int result = put_key("tool", tool(), out);
    if (result == 0)
        result = put_key("run", run(profile, options->process_id), out);
    if (result == 0)
        result = put_key("totals", root_totals(profile), out);
    if (result == 0)
        result = put_key("coverage", coverage(&profile->coverage), out);
    if (result == 0)
        result = put_array("processes", profile, profile->n_processes, process_json, out);
    if (result == 0)
        result = put_sites(profile, options, out);
    if (result == 0)
        result = put_array("size_buckets", profile, profile->n_size_buckets, bucket_json, out);
    if (result == 0)
        result = put_array("timeline", profile, profile->n_timeline, point_json, out);
    fputs(",\n\"io_sites\":[],\n\"files\":[]}\n", out);
    return result;
}

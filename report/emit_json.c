/* SPDX-License-Identifier: MIT */
/* The document heapwise-report/1.
 *
 * The root is written key by key and each array element by element, so that memory does not grow
 * with the number of call sites; a value on its own is built and encoded by jansson. */
#include "report/emit_json_io.h"
#include "report/jvalue.h"
#include "report/names.h"
#include "report/report.h"

#include <stdlib.h>
#include <sys/wait.h>

/* With how many were timed, so that few can be told from many. */
static json_t *timed(const struct quantiles *q)
{
    json_t *object = jvalue_quantiles(q, false);
    if (q->n > 0)
        jvalue_set(&object, "timed", jvalue_number(q->n));
    return object;
}

static json_t *totals(const struct profile *profile, const struct metrics *metrics,
                      const struct quantiles *lifetime)
{
    json_t *object = json_object();
    for (size_t i = 0; i < metrics_count(); i++) {
        const struct metric *metric = metrics_at(i);
        if (metric->scope != METRIC_SITE)
            jvalue_set(&object, metric->name,
                       jvalue_metric(metrics_of_process(metric, profile, metrics)));
    }
    jvalue_set(&object, "lifetime_ns", lifetime ? jvalue_quantiles(lifetime, false) : json_null());
    return object;
}

static json_t *coverage(const struct coverage *coverage)
{
    json_t *unwind = json_object();
    jvalue_set(&unwind, "fast", jvalue_number(coverage->unwind_fast));
    jvalue_set(&unwind, "fallback", jvalue_number(coverage->unwind_fallback));
    jvalue_set(&unwind, "truncated", jvalue_number(coverage->unwind_truncated));
    json_t *object = json_object();
    jvalue_set(&object, "events", jvalue_number(coverage->events));
    jvalue_set(&object, "lost_events", jvalue_number(coverage->lost_events));
    jvalue_set(&object, "unknown_frees", jvalue_number(coverage->unknown_frees));
    jvalue_set(&object, "inherited_frees", jvalue_number(coverage->inherited_frees));
    jvalue_set(&object, "unattached_processes", jvalue_number(coverage->unattached_processes));
    jvalue_set(&object, "threads", jvalue_number(coverage->threads));
    jvalue_set(&object, "processes", jvalue_number(coverage->processes));
    jvalue_set(&object, "unwind", unwind);
    jvalue_set(&object, "io_kernel", emit_json_kernel_io(&coverage->kernel_io));
    return object;
}

static void set_status(json_t **object, bool has_status, int status)
{
    jvalue_set(object, "exit_code",
               has_status && WIFEXITED(status) ? json_integer(WEXITSTATUS(status)) : json_null());
    jvalue_set(object, "exit_signal",
               has_status && WIFSIGNALED(status) ? json_integer(WTERMSIG(status)) : json_null());
}

static json_t *run(const struct profile *profile, uint32_t process_id)
{
    json_t *host = json_object();
    jvalue_set(&host, "kernel", jvalue_text(profile->kernel));
    jvalue_set(&host, "libc", jvalue_text(profile->libc));
    jvalue_set(&host, "cpu", jvalue_text(profile->cpu));
    jvalue_set(&host, "cores", json_integer(profile->n_cores));
    jvalue_set(&host, "allocator", jvalue_text(profile->allocator));

    json_t *object = json_object();
    jvalue_set(&object, "command", jvalue_words(profile->command, profile->n_command));
    jvalue_set(&object, "trace", jvalue_text(profile->trace_name));
    jvalue_set(&object, "started", jvalue_text(profile->started));
    jvalue_set(&object, "duration_seconds", jvalue_real(profile->duration_seconds));
    set_status(&object, profile->has_status, profile->wait_status);
    jvalue_set(&object, "sampled", json_boolean(profile->sampled));
    jvalue_set(&object, "truncated", json_boolean(profile->truncated));
    jvalue_set(&object, "truncated_reason",
               profile->truncated ? jvalue_text(profile->cut.reason) : json_null());
    jvalue_set(&object, "stopped_reason",
               profile->stopped ? jvalue_text(profile->stop_reason) : json_null());
    jvalue_set(&object, "stopped_seconds",
               profile->stopped ? jvalue_real(profile->stopped_seconds) : json_null());
    jvalue_set(&object, "recorded_by", jvalue_text(profile->tool_version));
    jvalue_set(&object, "only_process", process_id ? json_integer(process_id) : json_null());
    jvalue_set(&object, "remarks", jvalue_words(profile->remarks, profile->n_remarks));
    jvalue_set(&object, "marks", jvalue_words(profile->marks, profile->n_marks));
    jvalue_set(&object, "host", host);
    return object;
}

static json_t *summary_of_leaks(const struct profile *profile)
{
    json_t *object = json_object();
    jvalue_set(&object, "runtime_count", jvalue_number(profile->runtime_leaked_count));
    jvalue_set(&object, "runtime_bytes", jvalue_number(profile->runtime_leaked_bytes));
    jvalue_set(&object, "suppressed_count", jvalue_number(profile->suppressed_leaked_count));
    jvalue_set(&object, "suppressed_bytes", jvalue_number(profile->suppressed_leaked_bytes));
    return object;
}

static json_t *tool(void)
{
    json_t *object = json_object();
    jvalue_set(&object, "name", json_string("heapwise"));
    jvalue_set(&object, "version", json_string(HEAPWISE_VERSION));
    return object;
}

static json_t *root_totals(const struct profile *profile)
{
    json_t *object = totals(profile, &profile->totals, &profile->lifetime_ns);
    jvalue_set(&object, "sizes", jvalue_quantiles(&profile->sizes, true));
    jvalue_set(&object, "peak_seconds", jvalue_real(profile->peak_seconds));
    jvalue_set(&object, "peak_rss_bytes", jvalue_number(profile->peak_rss_bytes));
    jvalue_set(&object, "leaked_apart", summary_of_leaks(profile));
    return object;
}

static json_t *execs(const struct process *process)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i + 1 < process->n_images; i++) {
        json_t *object = json_object();
        jvalue_set(&object, "executable", jvalue_text(process->images[i].executable));
        jvalue_set(&object, "command",
                   jvalue_words(process->images[i].arguments, process->images[i].n_arguments));
        jvalue_append(&array, object);
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
    jvalue_set(&object, "id", json_integer(process->id));
    jvalue_set(&object, "pid", json_integer(process->pid));
    jvalue_set(&object, "parent_id",
               process->parent_id ? json_integer(process->parent_id) : json_null());
    jvalue_set(&object, "command", jvalue_words(image->arguments, image->n_arguments));
    jvalue_set(&object, "executable", jvalue_text(image->executable));
    jvalue_set(&object, "execs", execs(process));
    jvalue_set(&object, "allocator", jvalue_text(process->allocator));
    jvalue_set(&object, "started_seconds", jvalue_real(process->started_seconds));
    jvalue_set(&object, "threads", json_integer(process->n_threads));
    set_status(&object, process->has_status, process->wait_status);
    jvalue_set(&object, "totals", totals(profile, &process->totals, NULL));
    jvalue_set(&object, "coverage", coverage(&process->coverage));
    return object;
}

static json_t *site_json(const struct profile *profile, const struct site *site)
{
    static const char *const owners[] = {
        [LEAK_PROGRAM] = "program", [LEAK_RUNTIME] = "runtime", [LEAK_SUPPRESSED] = "suppressed"};
    json_t *object = json_object();
    jvalue_set(&object, "id", jvalue_text(site->id));
    jvalue_set_place(&object, names_place(profile, site));
    jvalue_set(&object, "place", json_integer(site->place < site->n_frames ? site->place : 0));
    for (size_t i = 0; i < metrics_count(); i++) {
        const struct metric *metric = metrics_at(i);
        if (metric->scope == METRIC_ANY || metric->scope == METRIC_SITE)
            jvalue_set(
                &object, metric->name,
                jvalue_metric(metrics_of_site(metric, site, profile->totals.duration_seconds)));
    }
    jvalue_set(&object, "sizes", jvalue_quantiles(&site->sizes, true));
    jvalue_set(&object, "lifetime_ns", jvalue_quantiles(&site->lifetime_ns, false));
    jvalue_set(&object, "alloc_call_ns", timed(&site->alloc_call_ns));
    jvalue_set(&object, "free_call_ns", timed(&site->free_call_ns));
    jvalue_set(&object, "threads", json_integer(site->n_threads));
    jvalue_set(&object, "leak_owner",
               json_string(owners[site->leak_owner <= LEAK_SUPPRESSED ? site->leak_owner : 0]));
    jvalue_set(&object, "stack", jvalue_stack(profile, site));
    return object;
}

static json_t *point_json(const struct profile *profile, size_t i)
{
    const struct timeline_point *point = &profile->timeline[i];
    json_t *object = json_object();
    jvalue_set(&object, "t_seconds", jvalue_real(point->t_seconds));
    jvalue_set(&object, "live_bytes", jvalue_number(point->live_bytes));
    jvalue_set(&object, "alloc_count", jvalue_number(point->alloc_count));
    jvalue_set(&object, "alloc_bytes", jvalue_number(point->alloc_bytes));
    jvalue_set(&object, "rss_bytes", jvalue_number(point->rss_bytes));
    const bool known = profile->io_recorded;
    jvalue_set(&object, "io_read_bytes", known ? jvalue_number(point->io_read_bytes) : json_null());
    jvalue_set(&object, "io_write_bytes",
               known ? jvalue_number(point->io_write_bytes) : json_null());
    return object;
}

static json_t *bucket_json(const struct profile *profile, size_t i)
{
    const struct size_bucket *bucket = &profile->size_buckets[i];
    json_t *object = json_object();
    jvalue_set(&object, "lower_bytes", jvalue_number(bucket->lower_bytes));
    jvalue_set(&object, "upper_bytes", jvalue_number(bucket->upper_bytes));
    jvalue_set(&object, "alloc_count", jvalue_number(bucket->alloc_count));
    jvalue_set(&object, "alloc_bytes", jvalue_number(bucket->alloc_bytes));
    jvalue_set(&object, "temporary_count", jvalue_number(bucket->temporary_count));
    jvalue_set(&object, "lifetime_ns", jvalue_quantiles(&bucket->lifetime_ns, false));
    return object;
}

static int put_key(const char *key, json_t *value, FILE *out)
{
    fprintf(out, ",\n\"%s\":", key);
    return jvalue_put(value, out);
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
        result = jvalue_put(site_json(profile, sites[i]), out);
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
        result = jvalue_put_array("processes", profile, profile->n_processes, process_json, out);
    if (result == 0)
        result = put_sites(profile, options, out);
    if (result == 0)
        result =
            jvalue_put_array("size_buckets", profile, profile->n_size_buckets, bucket_json, out);
    if (result == 0)
        result = jvalue_put_array("timeline", profile, profile->n_timeline, point_json, out);
    if (result == 0)
        result = emit_json_io(profile, options, out);
    fputs("}\n", out);
    return result;
}

/* SPDX-License-Identifier: MIT */
/* The part of heapwise-report/1 that is about input and output. */
#include "report/emit_json_io.h"

#include "report/io_metrics.h"
#include "report/io_stacks.h"
#include "report/jvalue.h"
#include "report/names.h"

#include <stdlib.h>

json_t *emit_json_kernel_io(const struct kernel_io *io)
{
    if (!io->known)
        return json_null();
    json_t *object = json_object();
    jvalue_set(&object, "read_calls", jvalue_number(io->read_calls));
    jvalue_set(&object, "write_calls", jvalue_number(io->write_calls));
    jvalue_set(&object, "read_bytes", jvalue_number(io->read_bytes));
    jvalue_set(&object, "write_bytes", jvalue_number(io->write_bytes));
    jvalue_set(&object, "comparable", json_boolean(io->comparable));
    jvalue_set(&object, "seen_read_calls", jvalue_number(io->seen_read_calls));
    jvalue_set(&object, "seen_write_calls", jvalue_number(io->seen_write_calls));
    jvalue_set(&object, "seen_read_bytes", jvalue_number(io->seen_read_bytes));
    jvalue_set(&object, "seen_write_bytes", jvalue_number(io->seen_write_bytes));
    jvalue_set(&object, "loader_read_calls", jvalue_number(io->loader_read_calls));
    jvalue_set(&object, "loader_read_bytes", jvalue_number(io->loader_read_bytes));
    return object;
}

static json_t *pattern_json(const struct io_pattern *pattern)
{
    json_t *object = json_object();
    jvalue_set(&object, "consecutive", jvalue_number(pattern->consecutive));
    jvalue_set(&object, "strided", jvalue_number(pattern->strided));
    jvalue_set(&object, "random", jvalue_number(pattern->random));
    return object;
}

/* The stack, and the frame that names it: the same keys for everything that has one. */
static void set_stack(json_t **object, const struct profile *profile, struct site stack)
{
    jvalue_set_place(object, names_place(profile, &stack));
    jvalue_set(object, "place", json_integer(stack.place < stack.n_frames ? stack.place : 0));
    jvalue_set(object, "stack", jvalue_stack(profile, &stack));
}

static json_t *heap_json(const struct io_site *site)
{
    json_t *object = json_object();
    jvalue_set(&object, "calls", jvalue_number(site->heap_calls));
    jvalue_set(&object, "fresh_calls", jvalue_number(site->fresh_calls));
    jvalue_set(&object, "single_calls", jvalue_number(site->single_calls));
    jvalue_set(&object, "inner_allocs", jvalue_number(site->inner_allocs));
    jvalue_set(&object, "copied_calls", jvalue_number(site->copied_calls));
    jvalue_set(&object, "copied_bytes", jvalue_number(site->copied_bytes));
    return object;
}

static json_t *site_json(const struct profile *profile, size_t i)
{
    const struct io_site *const site = &profile->io_sites[i];
    json_t *object = json_object();
    jvalue_set(&object, "id", jvalue_text(site->id));
    jvalue_set(&object, "layer", json_string(site->layer == IO_LAYER_STDIO ? "stdio" : "syscall"));
    jvalue_set(&object, "op", jvalue_text(site->op));
    jvalue_set(&object, "reads", json_boolean(site->reads));
    jvalue_set(&object, "writes", json_boolean(site->writes));
    jvalue_set(&object, "path", jvalue_text_or_null(site->path));
    jvalue_set(&object, "files", json_integer(site->n_files));
    jvalue_set(&object, "calls", jvalue_number(site->calls));
    jvalue_set(&object, "bytes", jvalue_number(site->bytes));
    jvalue_set(&object, "seconds", jvalue_real(site->seconds));
    jvalue_set(&object, "logical_calls", jvalue_number(site->logical_calls));
    jvalue_set(&object, "sizes", jvalue_quantiles(&site->sizes, true));
    jvalue_set(&object, "latency_ns", jvalue_quantiles(&site->latency_ns, false));
    jvalue_set(&object, "failed", jvalue_number(site->failed));
    jvalue_set(&object, "would_block", jvalue_number(site->would_block));
    jvalue_set(&object, "interrupted", jvalue_number(site->interrupted));
    jvalue_set(&object, "short_calls", jvalue_number(site->short_calls));
    jvalue_set(&object, "empty", jvalue_number(site->empty));
    jvalue_set(&object, "pattern", pattern_json(&site->pattern));
    jvalue_set(&object, "heap", heap_json(site));
    jvalue_set(&object, "threads", json_integer(site->n_threads));
    set_stack(&object, profile, IO_STACK(site));
    return object;
}

static json_t *file_json(const struct profile *profile, size_t i)
{
    const struct io_file *const file = &profile->io_files[i];
    const bool covered = file->unique_read_bytes > 0;
    json_t *object = json_object();
    jvalue_set(&object, "path", jvalue_text(file->path));
    jvalue_set(&object, "opens", jvalue_number(file->opens));
    jvalue_set(&object, "failed_opens", jvalue_number(file->failed_opens));
    jvalue_set(&object, "stats", jvalue_number(file->stats));
    jvalue_set(&object, "seeks", jvalue_number(file->seeks));
    jvalue_set(&object, "read_calls", jvalue_number(file->read_calls));
    jvalue_set(&object, "read_bytes", jvalue_number(file->read_bytes));
    jvalue_set(&object, "unique_read_bytes",
               covered ? jvalue_number(file->unique_read_bytes) : json_null());
    jvalue_set(&object, "write_calls", jvalue_number(file->write_calls));
    jvalue_set(&object, "write_bytes", jvalue_number(file->write_bytes));
    jvalue_set(&object, "turns", jvalue_number(file->turns));
    jvalue_set(&object, "fsyncs", jvalue_number(file->fsyncs));
    jvalue_set(&object, "seconds", jvalue_real(file->seconds));
    jvalue_set(&object, "sync_seconds", jvalue_real(file->sync_seconds));
    jvalue_set(&object, "read_sizes", jvalue_quantiles(&file->read_sizes, true));
    jvalue_set(&object, "write_sizes", jvalue_quantiles(&file->write_sizes, true));
    jvalue_set(&object, "latency_ns", jvalue_quantiles(&file->latency_ns, false));
    jvalue_set(&object, "pattern", pattern_json(&file->pattern));
    return object;
}

static json_t *slow_call_json(const struct profile *profile, size_t i)
{
    const struct io_slow_call *const call = &profile->io_slow_calls[i];
    json_t *object = json_object();
    jvalue_set(&object, "t_seconds", jvalue_real(call->t_seconds));
    jvalue_set(&object, "seconds", jvalue_real(call->seconds));
    jvalue_set(&object, "process_id", json_integer(call->process_id));
    jvalue_set(&object, "tid", json_integer(call->tid));
    jvalue_set(&object, "op", jvalue_text(call->op));
    jvalue_set(&object, "path", jvalue_text_or_null(call->path));
    jvalue_set(&object, "bytes", jvalue_number(call->bytes));
    set_stack(&object, profile, IO_STACK(call));
    return object;
}

static json_t *thread_json(const struct profile *profile, size_t i)
{
    const struct io_thread *const thread = &profile->io_threads[i];
    json_t *object = json_object();
    jvalue_set(&object, "process_id", json_integer(thread->process_id));
    jvalue_set(&object, "tid", json_integer(thread->tid));
    jvalue_set(&object, "name", jvalue_text(thread->name));
    jvalue_set(&object, "calls", jvalue_number(thread->calls));
    jvalue_set(&object, "seconds", jvalue_real(thread->seconds));
    jvalue_set(&object, "sync_seconds", jvalue_real(thread->sync_seconds));
    jvalue_set(&object, "longest_seconds", jvalue_real(thread->longest_seconds));
    jvalue_set(&object, "alive_seconds", jvalue_real(thread->alive_seconds));
    return object;
}

static json_t *opener_json(const struct profile *profile, size_t i)
{
    const struct io_opener *const opener = &profile->io_openers[i];
    json_t *object = json_object();
    jvalue_set(&object, "op", jvalue_text(opener->op));
    jvalue_set(&object, "path", jvalue_text_or_null(opener->path));
    jvalue_set(&object, "opens", jvalue_number(opener->opens));
    jvalue_set(&object, "failed", jvalue_number(opener->failed));
    jvalue_set(&object, "open_at_end", jvalue_number(opener->open_at_end));
    jvalue_set(&object, "max_open", jvalue_number(opener->max_open));
    set_stack(&object, profile, IO_STACK(opener));
    return object;
}

/* An array of which `order` picks the elements. */
struct ordered {
    const char *key;
    int (*order)(const struct profile *profile, const struct report_options *options,
                 size_t **indices_out, size_t *n_out);
    json_t *(*element)(const struct profile *profile, size_t i);
};

static int put_ordered(const struct ordered *array, const struct profile *profile,
                       const struct report_options *options, FILE *out)
{
    size_t *indices = NULL;
    size_t n = 0;
    int result = array->order(profile, options, &indices, &n);
    if (result < 0)
        return result;
    fprintf(out, ",\n\"%s\":[", array->key);
    for (size_t i = 0; i < n && result == 0; i++) {
        fputs(i ? ",\n" : "\n", out);
        result = jvalue_put(array->element(profile, indices[i]), out);
    }
    fputs("]", out);
    free(indices);
    return result;
}

/* As many as the options' top asks for. */
static size_t top(const struct report_options *options, size_t n)
{
    return options->top && options->top < n ? options->top : n;
}

int emit_json_io(const struct profile *profile, const struct report_options *options, FILE *out)
{
    static const struct ordered sites = {"io_sites", io_metrics_order_sites, site_json};
    static const struct ordered files = {"files", io_metrics_order_files, file_json};
    int result = put_ordered(&sites, profile, options, out);
    if (result == 0)
        result = put_ordered(&files, profile, options, out);
    fprintf(out, ",\n\"io_sites_total\":%zu,\n\"files_total\":%zu", profile->n_io_sites,
            profile->n_io_files);
    if (result == 0)
        result = jvalue_put_array("slow_calls", profile, top(options, profile->n_io_slow_calls),
                                  slow_call_json, out);
    if (result == 0)
        result = jvalue_put_array("io_threads", profile, top(options, profile->n_io_threads),
                                  thread_json, out);
    if (result == 0)
        result = jvalue_put_array("openers", profile, top(options, profile->n_io_openers),
                                  opener_json, out);
    return result;
}

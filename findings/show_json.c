/* SPDX-License-Identifier: MIT */
/* The documents heapwise-findings/1 and hotspots: the same elements below other roots.
 *
 * Written key by key and element by element, so that memory does not grow with the findings. */
#include <string.h>
#include <sys/wait.h>

#include "findings/finding_json.h"
#include "findings/place.h"
#include "findings/show.h"
#include "findings/wording.h"
#include "report/jvalue.h"
#include "report/names.h"

enum { MAX_COMMAND_BYTES = FINDING_MAX_TEXT_BYTES }; /* of all of its words */

/* ---- the run ---- */

static json_t *tool(void)
{
    json_t *object = json_object();
    jvalue_set(&object, "name", json_string("heapwise"));
    jvalue_set(&object, "version", json_string(HEAPWISE_VERSION));
    return object;
}

/* The command's words as far as they are short; "..." stands for the rest. */
static json_t *command(const struct profile *profile)
{
    static const char *const rest[] = {"..."};
    size_t n = 0, n_bytes = 0;
    while (n < profile->n_command && n_bytes <= MAX_COMMAND_BYTES)
        n_bytes += strlen(profile->command[n++]) + 1;
    json_t *words = finding_json_texts(profile->command, n);
    json_t *more = n < profile->n_command ? finding_json_texts(rest, 1) : json_array();
    if (json_array_extend(words, more) != 0) {
        json_decref(words);
        words = NULL;
    }
    json_decref(more);
    return words;
}

/* The trace's name without folder and ending. */
static json_t *run_id(const struct profile *profile)
{
    static const char ending[] = ".hwt";
    const char *const base = names_base(profile->trace_name);
    const size_t n = strlen(base), n_ending = sizeof ending - 1;
    const bool ends = n > n_ending && strcmp(base + n - n_ending, ending) == 0;
    struct buffer name = {0};
    buffer_add(&name, base, ends ? n - n_ending : n);
    json_t *const id = name.failed ? NULL : finding_json_text(buffer_string(&name));
    buffer_fini(&name);
    return id;
}

static json_t *run(const struct profile *profile)
{
    const bool has_code = profile->has_status && WIFEXITED(profile->wait_status);
    json_t *object = json_object();
    jvalue_set(&object, "id", run_id(profile));
    jvalue_set(&object, "command", command(profile));
    jvalue_set(&object, "exit_code",
               has_code ? json_integer(WEXITSTATUS(profile->wait_status)) : json_null());
    jvalue_set(&object, "started", finding_json_text(profile->started));
    jvalue_set(&object, "recorder", json_string("ld_preload"));
    jvalue_set(&object, "sampled", json_boolean(profile->sampled));
    jvalue_set(&object, "lost_events", jvalue_number(profile->totals.lost_events));
    jvalue_set(&object, "truncated", json_boolean(profile->truncated));
    return object;
}

/* Of the command itself, as it was in the end. */
static const char *build_id(const struct profile *profile)
{
    if (profile->n_processes == 0 || profile->processes[0].n_images == 0)
        return "";
    const struct process *const command = &profile->processes[0];
    const char *const id = command->images[command->n_images - 1].build_id;
    return id ? id : "";
}

static json_t *environment(const struct profile *profile)
{
    json_t *object = json_object();
    jvalue_set(&object, "kernel", finding_json_text(profile->kernel));
    jvalue_set(&object, "libc", finding_json_text(profile->libc));
    jvalue_set(&object, "cpu", finding_json_text(profile->cpu));
    jvalue_set(&object, "allocator", finding_json_text(profile->allocator));
    jvalue_set(&object, "build_id", finding_json_text(build_id(profile)));
    return object;
}

static json_t *totals(const struct metrics *metrics)
{
    json_t *object = json_object();
    jvalue_set(&object, "alloc_count", jvalue_number(metrics->alloc_count));
    jvalue_set(&object, "alloc_bytes", jvalue_number(metrics->alloc_bytes));
    jvalue_set(&object, "free_count", jvalue_number(metrics->free_count));
    jvalue_set(&object, "peak_bytes", jvalue_number(metrics->peak_bytes));
    jvalue_set(&object, "leaked_bytes", jvalue_number(metrics->leaked_bytes));
    jvalue_set(&object, "temporary_count", jvalue_number(metrics->temporary_count));
    jvalue_set(&object, "io_calls", jvalue_number(metrics->io_calls));
    jvalue_set(&object, "io_read_bytes", jvalue_number(metrics->io_read_bytes));
    jvalue_set(&object, "io_write_bytes", jvalue_number(metrics->io_write_bytes));
    jvalue_set(&object, "io_seconds", jvalue_real(metrics->io_seconds));
    return object;
}

static const char *recorded_kind(const struct profile *profile)
{
    const struct metrics *const metrics = &profile->totals;
    const bool has_allocations = metrics->alloc_count || metrics->free_count;
    if (!profile->io_recorded)
        return "allocation";
    return has_allocations ? "allocation+io" : "io";
}

/* ---- the findings together ---- */

static json_t *service(const struct profile *profile)
{
    struct buffer words = {0};
    wording_service(&words, profile);
    return finding_json_words(&words);
}

/* "3 findings: 1 critical, 2 low; first: TITLE, in FUNCTION (FILE:LINE)" */
static json_t *summary(const struct findings *findings, const char *root)
{
    struct buffer words = {0};
    wording_count(&words, findings);
    if (findings->n > 0) {
        const struct finding *const first = findings->ranked[0];
        const struct profile_frame *const frame = place_frame(first, findings->profile);
        struct buffer place = {0};
        wording_location(&place, frame, root);
        buffer_text(&words, "; first: ");
        wording_text(&words, first->title, false);
        buffer_text(&words, ", in ");
        wording_function(&words, frame);
        if (place.length > 0)
            buffer_printf(&words, " (%s)", buffer_string(&place));
        words.failed |= place.failed;
        buffer_fini(&place);
    }
    json_t *const json = words.failed ? NULL : finding_json_text(buffer_string(&words));
    buffer_fini(&words);
    return json;
}

static json_t *improvement(const struct findings *findings)
{
    char text[256];
    findings_sum_up(findings, text, sizeof text);
    return finding_json_text(text);
}

static json_t *omitted(const struct findings *findings)
{
    const size_t n = findings->n_all - findings->n;
    json_t *object = json_object();
    jvalue_set(&object, "findings", json_integer((json_int_t)n));
    jvalue_set(&object, "reason", json_string(n ? "beyond --top; 0 is all" : "none"));
    return object;
}

/* ---- writing ---- */

/* Elements on lines of their own. In plain hotspots there is no severity "info". */
static int put_findings(const struct findings *findings, const struct finding_json *context,
                        FILE *out)
{
    const char *separator = "\n";
    int result = 0;
    fputs(",\n\"hotspots\":[", out);
    for (size_t i = 0; i < findings->n && result == 0; i++) {
        const struct finding *const finding = findings->ranked[i];
        if (context->is_plain_hotspot && finding->severity == SEVERITY_INFO)
            continue;
        result = jvalue_put_after(separator, finding_json(context, finding), out);
        separator = ",\n";
    }
    fputs("]", out);
    return result;
}

int show_json(const struct findings *findings, const struct show_options *options, FILE *out)
{
    const struct profile *const profile = findings->profile;
    const struct finding_json context = {.profile = profile, .root = options->root};
    fputs("{\"schema\":\"heapwise-findings/1\"", out);
    int result = jvalue_put_after(",\n\"service\":", service(profile), out);
    result =
        result ? result
               : jvalue_put_after(",\n\"profile_type\":", json_string(recorded_kind(profile)), out);
    result = result ? result
                    : jvalue_put_after(
                          ",\n\"duration_seconds\":", jvalue_real(profile->duration_seconds), out);
    result = result ? result : jvalue_put_after(",\n\"tool\":", tool(), out);
    result = result ? result : jvalue_put_after(",\n\"run\":", run(profile), out);
    result = result ? result : jvalue_put_after(",\n\"environment\":", environment(profile), out);
    result = result ? result : jvalue_put_after(",\n\"totals\":", totals(&profile->totals), out);
    result = result ? result : put_findings(findings, &context, out);
    result = result ? result : jvalue_put_after(",\n\"omitted\":", omitted(findings), out);
    result = result ? result
                    : jvalue_put_after(",\n\"summary\":", summary(findings, options->root), out);
    result = result ? result
                    : jvalue_put_after(",\n\"estimated_improvement\":", improvement(findings), out);
    fputs("}\n", out);
    return result;
}

int show_hotspots(const struct findings *findings, const struct show_options *options, FILE *out)
{
    const struct profile *const profile = findings->profile;
    const struct finding_json context = {
        .profile = profile, .root = options->root, .is_plain_hotspot = true};
    int result = jvalue_put_after("{\"service\":", service(profile), out);
    result = result ? result
                    : jvalue_put_after(
                          ",\n\"duration_seconds\":", jvalue_real(profile->duration_seconds), out);
    result = result ? result : jvalue_put_after(",\n\"profile_type\":", json_string("memory"), out);
    result = result ? result : put_findings(findings, &context, out);
    result = result ? result
                    : jvalue_put_after(",\n\"summary\":", summary(findings, options->root), out);
    result = result ? result
                    : jvalue_put_after(",\n\"estimated_improvement\":", improvement(findings), out);
    fputs("}\n", out);
    return result;
}

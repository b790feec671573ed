/* SPDX-License-Identifier: MIT */
/* How does a finding become an element of "hotspots"? Keys are those of heapwise-findings/1. */
#include "findings/finding_json.h"

#include <math.h>

#include "findings/freed.h"
#include "findings/place.h"
#include "findings/show.h"
#include "findings/wording.h"
#include "report/jvalue.h"
#include "report/names.h"

/* ---- values ---- */

json_t *finding_json_words(struct buffer *words)
{
    json_t *const json = words->failed ? NULL : json_stringn(buffer_string(words), words->length);
    buffer_fini(words);
    return json;
}

json_t *finding_json_text(const char *text)
{
    struct buffer words = {0};
    wording_text(&words, text ? text : "", false);
    return finding_json_words(&words);
}

json_t *finding_json_texts(const char *const *texts, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        jvalue_append(&array, finding_json_text(texts[i]));
    return array;
}

/* A path relative to the root; null for an empty one. */
static json_t *path_value(const char *path, const char *root)
{
    struct buffer words = {0};
    if (!path[0])
        return json_null();
    wording_path(&words, path, root);
    return finding_json_words(&words);
}

static json_t *function(const struct profile_frame *frame)
{
    struct buffer words = {0};
    wording_function(&words, frame);
    return finding_json_words(&words);
}

/* A count that was computed: whole, and no more than jansson's integers hold. */
static json_t *count(double value)
{
    const double most = 9e18;
    return json_integer(value > 0 ? (json_int_t)(fmin(value, most) + 0.5) : 0);
}

static json_t *maybe_count(struct maybe value)
{
    return value.known ? count(value.value) : json_null();
}

static json_t *maybe_real(struct maybe value)
{
    return value.known ? jvalue_real(value.value) : json_null();
}

/* What the schema calls integer stays one, whatever a damaged trace says. */
static json_t *integer(uint64_t value)
{
    return json_integer(value <= INT64_MAX ? (json_int_t)value : INT64_MAX);
}

static json_t *quantiles(const struct quantiles *q)
{
    return q && q->n ? jvalue_quantiles(q, true) : json_null();
}

/* ---- parts ---- */

static json_t *frame_json(const struct finding_json *context, const struct profile_frame *frame)
{
    json_t *object = json_object();
    jvalue_set(&object, "function", function(frame));
    jvalue_set(&object, "module", finding_json_text(frame ? frame->module : ""));
    jvalue_set(&object, "file", path_value(frame ? frame->file : "", context->root));
    jvalue_set(&object, "line", frame && frame->line ? json_integer(frame->line) : json_null());
    jvalue_set(&object, "inlined", json_boolean(frame && frame->inlined));
    jvalue_set(&object, "user_code", json_boolean(frame && place_is_user(frame)));
    return object;
}

/* The place first, then its callers; one frame without a name where no stack is known. */
static json_t *stack(const struct finding_json *context, const struct finding *finding)
{
    const struct finding_place *const place = &finding->place;
    json_t *array = json_array();
    if (place->place >= place->n_frames)
        jvalue_append(&array, frame_json(context, NULL));
    for (uint32_t i = place->place, n = 0; i < place->n_frames && n < SHOW_MAX_FRAMES; i++, n++)
        jvalue_append(&array, frame_json(context, &context->profile->frames[place->frames[i]]));
    return array;
}

/* A peak is a level: it has no rate. */
static json_t *per_second(const struct finding_json *context, const struct finding *finding)
{
    const double seconds = context->profile->totals.duration_seconds;
    if (finding->whole == OF_PEAK_BYTES || !(seconds > 0))
        return json_null();
    return jvalue_real(finding->evidence.value / seconds);
}

json_t *finding_json_evidence(const struct finding_json *context, const struct finding *finding)
{
    const struct finding_evidence *const evidence = &finding->evidence;
    json_t *object = json_object();
    jvalue_set(&object, "metric", finding_json_text(evidence->metric));
    jvalue_set(&object, "unit", finding_json_text(evidence->unit));
    jvalue_set(&object, "value", jvalue_real(evidence->value));
    jvalue_set(&object, "per_second", per_second(context, finding));
    jvalue_set(&object, "count", integer(evidence->count));
    jvalue_set(&object, "bytes", maybe_count(evidence->bytes));
    jvalue_set(&object, "sizes", quantiles(evidence->sizes));
    jvalue_set(&object, "exact", json_boolean(!evidence->sampled && !context->profile->sampled));
    jvalue_set(&object, "threshold", finding_json_text(evidence->threshold));
    jvalue_set(&object, "paths", finding_json_texts(evidence->paths, evidence->n_paths));
    jvalue_set(&object, "query", finding_json_text(evidence->query));
    return object;
}

json_t *finding_json_lifetime(const struct finding_json *context, const struct finding *finding)
{
    const struct site *const site = finding->site;
    if (!site)
        return json_null();
    json_t *object = json_object();
    jvalue_set(&object, "unit", json_string("ns"));
    jvalue_set(&object, "freed", integer(site->metrics.free_count));
    jvalue_set(&object, "live_at_exit", integer(site->metrics.leaked_count));
    jvalue_set(&object, "quantiles", quantiles(&site->lifetime_ns));
    jvalue_set(&object, "freed_same_function_pct",
               maybe_real(freed_by_same_function(finding, context->profile)));
    jvalue_set(&object, "freed_other_thread_pct", maybe_real(freed_by_other_thread(finding)));
    return object;
}

static json_t *freed_at(const struct finding_json *context, const struct finding *finding)
{
    struct freed_row rows[HABITS_FREED_AT];
    const uint32_t n = freed_list(finding, context->profile, rows);
    json_t *array = json_array();
    for (uint32_t i = 0; i < n; i++) {
        const struct profile_frame *const frame = rows[i].frame;
        json_t *object = json_object();
        jvalue_set(&object, "function", function(frame));
        jvalue_set(&object, "file", path_value(frame ? frame->file : "", context->root));
        jvalue_set(&object, "line", frame && frame->line ? json_integer(frame->line) : json_null());
        jvalue_set(&object, "percentage", jvalue_real(rows[i].percent));
        jvalue_append(&array, object);
    }
    return array;
}

/* ---- suggestion ---- */

static json_t *pool(const struct finding_pool *pool)
{
    static const char *const scopes[] = {[POOL_PER_THREAD] = "per_thread",
                                         [POOL_GLOBAL] = "global",
                                         [POOL_PER_REQUEST] = "per_request"};
    if (!pool->known)
        return json_null();
    json_t *object = json_object();
    jvalue_set(&object, "object_bytes", integer(pool->object_bytes));
    jvalue_set(&object, "max_live", integer(pool->max_live));
    jvalue_set(&object, "recommended_slots", integer(pool->slots));
    jvalue_set(&object, "scope", json_string(scopes[pool->scope]));
    return object;
}

static json_t *reserve(const struct finding_reserve *reserve)
{
    if (!reserve->known)
        return json_null();
    json_t *object = json_object();
    jvalue_set(&object, "final_bytes", integer(reserve->final_bytes));
    jvalue_set(&object, "growth_steps", integer(reserve->growth_steps));
    jvalue_set(&object, "copied_bytes", integer(reserve->copied_bytes));
    return object;
}

static json_t *arena(const struct finding_arena *arena)
{
    if (!arena->known)
        return json_null();
    json_t *object = json_object();
    jvalue_set(&object, "bytes", integer(arena->bytes));
    jvalue_set(&object, "blocks", integer(arena->blocks));
    jvalue_set(&object, "released_together_pct", jvalue_real(arena->released_together_percent));
    return object;
}

static json_t *buffer(const struct finding_buffer *buffer)
{
    if (!buffer->known)
        return json_null();
    json_t *object = json_object();
    jvalue_set(&object, "bytes", integer(buffer->bytes));
    jvalue_set(&object, "calls_before", integer(buffer->calls_before));
    jvalue_set(&object, "calls_after", integer(buffer->calls_after));
    return object;
}

static json_t *suggestion(const struct finding *finding)
{
    size_t n_kept = 0;
    while (n_kept < RULE_MAX_KEPT && finding->rule->must_keep[n_kept])
        n_kept++;
    json_t *object = json_object();
    jvalue_set(&object, "kind", json_string(rule_kind_name(finding->rule->kind)));
    jvalue_set(&object, "text", finding_json_text(finding->suggestion.text));
    jvalue_set(&object, "pool", pool(&finding->suggestion.pool));
    jvalue_set(&object, "must_keep", finding_json_texts(finding->rule->must_keep, n_kept));
    jvalue_set(&object, "reserve", reserve(&finding->suggestion.reserve));
    jvalue_set(&object, "arena", arena(&finding->suggestion.arena));
    jvalue_set(&object, "buffer", buffer(&finding->suggestion.buffer));
    return object;
}

/* ---- opportunity ---- */

static json_t *saves(const struct finding_saves *saves)
{
    json_t *object = json_object();
    jvalue_set(&object, "allocations", maybe_count(saves->allocations));
    jvalue_set(&object, "bytes", maybe_count(saves->bytes));
    jvalue_set(&object, "peak_bytes", maybe_count(saves->peak_bytes));
    jvalue_set(&object, "io_calls", maybe_count(saves->io_calls));
    jvalue_set(&object, "io_bytes", maybe_count(saves->io_bytes));
    jvalue_set(&object, "seconds", maybe_real(saves->seconds));
    return object;
}

static json_t *measured(const struct finding_measured *measured)
{
    if (!measured->known)
        return json_null();
    json_t *object = json_object();
    jvalue_set(&object, "by", finding_json_text(measured->by));
    jvalue_set(&object, "runs", json_integer(measured->runs));
    jvalue_set(&object, "seconds_before", maybe_real(measured->seconds_before));
    jvalue_set(&object, "seconds_after", maybe_real(measured->seconds_after));
    jvalue_set(&object, "peak_bytes_before", maybe_count(measured->peak_bytes_before));
    jvalue_set(&object, "peak_bytes_after", maybe_count(measured->peak_bytes_after));
    return object;
}

json_t *finding_json_opportunity(const struct finding *finding)
{
    json_t *object = json_object();
    jvalue_set(&object, "impact", jvalue_real(finding->impact));
    jvalue_set(&object, "confidence", jvalue_real(finding->confidence));
    jvalue_set(&object, "effort", json_integer(finding->rule->effort));
    jvalue_set(&object, "score", jvalue_real(finding->score));
    jvalue_set(&object, "rank", json_integer(finding->rank));
    jvalue_set(&object, "saves", saves(&finding->saves));
    jvalue_set(&object, "confidence_reasons",
               finding_json_texts(finding->reasons, finding->n_reasons));
    jvalue_set(&object, "measured", measured(&finding->measured));
    return object;
}

/* ---- the whole ---- */

/* The schema hotspots knows fewer words. */
static const char *category_name(enum finding_category category, bool is_plain_hotspot)
{
    if (!is_plain_hotspot)
        return rule_category_name(category);
    switch (category) {
    case CATEGORY_LEAK:
    case CATEGORY_PEAK_MEMORY:
    case CATEGORY_FRAGMENTATION:
    case CATEGORY_RESOURCE_LEAK: return rule_category_name(CATEGORY_ALLOCATION);
    case CATEGORY_IO_PATTERN:
    case CATEGORY_IO_METADATA:
    case CATEGORY_IO_DURABILITY: return rule_category_name(CATEGORY_IO_WAIT);
    default: return rule_category_name(category);
    }
}

static void set_place(json_t **object, const struct finding_json *context,
                      const struct profile_frame *frame)
{
    const bool has_line = frame && frame->line;
    json_t *file = path_value(frame ? frame->file : "", context->root);
    if (context->is_plain_hotspot && json_is_null(file))
        file = finding_json_text(frame ? names_base(frame->module) : "");
    jvalue_set(object, "function", function(frame));
    jvalue_set(object, "file", file);
    jvalue_set(object, "line",
               has_line                    ? json_integer(frame->line)
               : context->is_plain_hotspot ? json_integer(0)
                                           : json_null());
}

static json_t *verify(const struct finding *finding)
{
    json_t *object = json_object();
    jvalue_set(&object, "command", finding_json_text(finding->verify_command));
    jvalue_set(&object, "expect", finding_json_text(finding->rule->expect));
    return object;
}

static json_t *fingerprints(const struct finding *finding)
{
    json_t *object = json_object();
    jvalue_set(&object, "stack_v1", json_string(finding->stack_print));
    jvalue_set(&object, "site_v1", json_string(finding->site_print));
    return object;
}

json_t *finding_json(const struct finding_json *context, const struct finding *finding)
{
    const struct rule *const rule = finding->rule;
    json_t *object = json_object();
    jvalue_set(&object, "id", json_string(finding->id));
    jvalue_set(&object, "rule", json_string(rule->id));
    jvalue_set(&object, "title", finding_json_text(finding->title));
    jvalue_set(&object, "category",
               json_string(category_name(rule->category, context->is_plain_hotspot)));
    jvalue_set(&object, "severity", json_string(rule_severity_name(finding->severity)));
    set_place(&object, context, place_frame(finding, context->profile));
    jvalue_set(&object, "percentage", jvalue_real(finding->percentage));
    jvalue_set(&object, "percentage_of", json_string(rule_whole_name(finding->whole)));
    jvalue_set(&object, "stack", stack(context, finding));
    jvalue_set(&object, "evidence", finding_json_evidence(context, finding));
    jvalue_set(&object, "lifetime", finding_json_lifetime(context, finding));
    jvalue_set(&object, "suggestion", suggestion(finding));
    jvalue_set(&object, "opportunity", finding_json_opportunity(finding));
    jvalue_set(&object, "verify", verify(finding));
    jvalue_set(&object, "fingerprints", fingerprints(finding));
    jvalue_set(&object, "baseline", json_string("none"));
    jvalue_set(&object, "suggested_approach", finding_json_text(finding->suggestion.text));
    jvalue_set(&object, "freed_at", freed_at(context, finding));
    jvalue_set(&object, "related", finding_json_texts(finding->related, finding->n_related));
    jvalue_set(&object, "why_same_output", finding_json_text(rule->why_same_output));
    return object;
}

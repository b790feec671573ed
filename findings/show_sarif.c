/* SPDX-License-Identifier: MIT */
/* The document SARIF 2.1.0 (OASIS), as code scanning services take it in.
 *
 * They want a physical location for every result, few results, constant rule ids, paths relative to the
 * source's root. The call stack is a stack, not a code flow: nothing was followed through it. */
#include <string.h>

#include "findings/finding_json.h"
#include "findings/freed.h"
#include "findings/place.h"
#include "findings/show.h"
#include "findings/uri.h"
#include "findings/wording.h"
#include "report/jvalue.h"
#include "report/names.h"

static const char SCHEMA[] = "https://json.schemastore.org/sarif-2.1.0.json";

/* ---- texts ---- */

static json_t *text_object(const char *key, const char *text)
{
    json_t *object = json_object();
    jvalue_set(&object, key, finding_json_text(text));
    return object;
}

/* Add a text without what a message gives a meaning to: {0} is an argument, [words](target) a link. */
static void add_plain(struct buffer *out, const char *text, bool has_arguments)
{
    const bool may_link = strstr(text, "](") != NULL;
    for (const char *at = text; *at; at++) {
        if (may_link && (*at == '[' || *at == ']'))
            buffer_text(out, "\\");
        if (has_arguments && (*at == '{' || *at == '}'))
            buffer_add(out, at, 1);
        buffer_add(out, at, 1);
    }
}

/* "TITLE. SUGGESTION", as a text and as the arguments of the rule's message: some viewers want the one, some
 * the other. */
static json_t *message(const struct finding *finding)
{
    struct buffer text = {0}, title = {0}, change = {0}, plain = {0};
    add_plain(&title, finding->title, false);
    add_plain(&change, finding->suggestion.text, false);
    if (change.length > 0 && change.data[change.length - 1] == '.') /* the rule's message has it */
        change.data[--change.length] = 0;
    buffer_printf(&plain, "%s. %s", finding->title, finding->suggestion.text);
    add_plain(&text, buffer_string(&plain), true);
    const char *const arguments[] = {buffer_string(&title), buffer_string(&change)};
    const bool failed = text.failed || title.failed || change.failed || plain.failed;
    json_t *object = failed ? NULL : json_object();
    jvalue_set(&object, "text", finding_json_text(buffer_string(&text)));
    jvalue_set(&object, "id", json_string("default"));
    jvalue_set(&object, "arguments", finding_json_texts(arguments, 2));
    buffer_fini(&text);
    buffer_fini(&title);
    buffer_fini(&change);
    buffer_fini(&plain);
    return object;
}

/* ---- places ---- */

static json_t *list_of(json_t *value)
{
    json_t *array = json_array();
    jvalue_append(&array, value);
    return array;
}

static json_t *artifact(const char *path, const char *root)
{
    struct buffer shown = {0}, uri = {0};
    wording_path(&shown, path, root);
    uri_add_path(&uri, buffer_string(&shown));
    const bool is_relative = root && buffer_string(&shown)[0] != '/';
    json_t *object = json_object();
    uri.failed |= shown.failed;
    jvalue_set(&object, "uri", finding_json_words(&uri));
    if (is_relative)
        jvalue_set(&object, "uriBaseId", json_string("SRCROOT"));
    buffer_fini(&shown);
    return object;
}

/* A frame's line; of a frame without one, the file or else the module, whose first line stands for it. */
static json_t *physical(const struct finding_json *context, const struct profile_frame *frame)
{
    json_t *region = json_object(), *object = json_object();
    const char *path = frame ? frame->file : "";
    if (frame && !path[0])
        path = names_base(frame->module);
    jvalue_set(&region, "startLine", json_integer(frame && frame->line ? frame->line : 1));
    jvalue_set(&object, "artifactLocation", artifact(path[0] ? path : "unknown", context->root));
    jvalue_set(&object, "region", region);
    return object;
}

static json_t *logical(const struct profile_frame *frame)
{
    struct buffer name = {0};
    wording_function(&name, frame);
    json_t *object = json_object();
    jvalue_set(&object, "fullyQualifiedName", finding_json_words(&name));
    jvalue_set(&object, "kind", json_string("function"));
    return list_of(object);
}

static json_t *location(const struct finding_json *context, const struct profile_frame *frame,
                        bool needs_file)
{
    json_t *object = json_object();
    if (needs_file || frame->file[0])
        jvalue_set(&object, "physicalLocation", physical(context, frame));
    jvalue_set(&object, "logicalLocations", logical(frame));
    return object;
}

/* The first frame of the user's own that has a line, else the place. */
static const struct profile_frame *first_line(const struct finding_json *context,
                                              const struct finding *finding)
{
    const struct finding_place *const place = &finding->place;
    for (uint32_t i = place->place; i < place->n_frames; i++) {
        const struct profile_frame *const frame = &context->profile->frames[place->frames[i]];
        if (place_is_user(frame) && frame->file[0] && frame->line)
            return frame;
    }
    return place_frame(finding, context->profile);
}

static json_t *stacks(const struct finding_json *context, const struct finding *finding)
{
    const struct finding_place *const place = &finding->place;
    json_t *frames = json_array(), *object = json_object();
    for (uint32_t i = place->place, n = 0; i < place->n_frames && n < SHOW_MAX_FRAMES; i++, n++) {
        const struct profile_frame *const frame = &context->profile->frames[place->frames[i]];
        json_t *element = json_object();
        jvalue_set(&element, "location", location(context, frame, false));
        jvalue_set(&element, "module", finding_json_text(names_base(frame->module)));
        jvalue_append(&frames, element);
    }
    jvalue_set(&object, "message", text_object("text", "call stack, innermost first"));
    jvalue_set(&object, "frames", frames);
    return list_of(object);
}

/* Where the blocks are given back. */
static json_t *related(const struct finding_json *context, const struct finding *finding)
{
    struct freed_row rows[HABITS_FREED_AT];
    const uint32_t n = freed_list(finding, context->profile, rows);
    json_t *array = json_array();
    for (uint32_t i = 0; i < n; i++) {
        const struct profile_frame *const frame = rows[i].frame;
        if (!frame || !frame->line)
            continue;
        json_t *object = location(context, frame, false);
        jvalue_set(&object, "message", text_object("text", "Blocks are freed here."));
        jvalue_append(&array, object);
    }
    return array;
}

/* ---- a result ---- */

static const char *level(enum finding_severity severity)
{
    static const char *const levels[] = {
        [SEVERITY_INFO] = "none",  [SEVERITY_LOW] = "note",       [SEVERITY_MEDIUM] = "warning",
        [SEVERITY_HIGH] = "error", [SEVERITY_CRITICAL] = "error",
    };
    return levels[severity];
}

static json_t *prints(const struct finding *finding)
{
    json_t *object = json_object();
    jvalue_set(&object, "heapwiseStack/v1", json_string(finding->stack_print));
    jvalue_set(&object, "heapwiseSite/v1", json_string(finding->site_print));
    return object;
}

static json_t *properties(const struct finding_json *context, const struct finding *finding)
{
    json_t *object = json_object();
    jvalue_set(&object, "id", json_string(finding->id));
    jvalue_set(&object, "severity", json_string(rule_severity_name(finding->severity)));
    jvalue_set(&object, "evidence", finding_json_evidence(context, finding));
    jvalue_set(&object, "lifetime", finding_json_lifetime(context, finding));
    jvalue_set(&object, "opportunity", finding_json_opportunity(finding));
    jvalue_set(&object, "whySameOutput", finding_json_text(finding->rule->why_same_output));
    return object;
}

static size_t rule_index(const struct rule *rule)
{
    size_t i = 0;
    while (i < rules_count() && rules_at(i) != rule)
        i++;
    return i;
}

static json_t *result_json(const struct finding_json *context, const struct finding *finding)
{
    const bool is_info = finding->severity == SEVERITY_INFO;
    const double rank = finding->score < 100 ? finding->score : 100;
    const size_t index = rule_index(finding->rule);
    json_t *object = json_object();
    jvalue_set(&object, "ruleId", json_string(finding->rule->id));
    if (index < rules_count())
        jvalue_set(&object, "ruleIndex", json_integer((json_int_t)index));
    jvalue_set(&object, "kind", json_string(is_info ? "informational" : "fail"));
    jvalue_set(&object, "level", json_string(level(finding->severity)));
    jvalue_set(&object, "rank", jvalue_real(rank));
    jvalue_set(&object, "message", message(finding));
    jvalue_set(&object, "locations",
               list_of(location(context, first_line(context, finding), true)));
    if (finding->place.place < finding->place.n_frames)
        jvalue_set(&object, "stacks", stacks(context, finding));
    jvalue_set(&object, "relatedLocations", related(context, finding));
    jvalue_set(&object, "partialFingerprints", prints(finding));
    if (finding->evidence.count > 0 && finding->evidence.count <= INT32_MAX)
        jvalue_set(&object, "occurrenceCount", json_integer((json_int_t)finding->evidence.count));
    jvalue_set(&object, "properties", properties(context, finding));
    return object;
}

/* ---- the run ---- */

static const char *precision(double confidence)
{
    return confidence >= 0.9 ? "very-high" : confidence >= 0.7 ? "high" : "medium";
}

static json_t *rule_properties(const struct rule *rule)
{
    json_t *object = json_object(), *tags = json_array();
    jvalue_append(&tags, json_string("performance"));
    jvalue_append(&tags, json_string(rule_category_name(rule->category)));
    jvalue_set(&object, "tags", tags);
    jvalue_set(&object, "precision", json_string(precision(rule->confidence)));
    return object;
}

/* Meaning and when not to act: what a reader of an alert asks. */
static json_t *rule_help(const struct rule *rule)
{
    struct buffer text = {0};
    json_t *object = json_object();
    buffer_printf(&text, "%s\nWhen not to act: %s", rule->meaning, rule->when_not);
    jvalue_set(&object, "text", text.failed ? NULL : jvalue_text(buffer_string(&text)));
    jvalue_set(&object, "markdown", text.failed ? NULL : jvalue_text(buffer_string(&text)));
    buffer_fini(&text);
    return object;
}

static json_t *rule_full(const struct rule *rule)
{
    struct buffer text = {0};
    json_t *object = json_object();
    buffer_printf(&text, "Finds %s.", rule->brief);
    jvalue_set(&object, "text", finding_json_words(&text));
    return object;
}

static json_t *rule_json(const struct rule *rule)
{
    json_t *configuration = json_object(), *messages = json_object(), *object = json_object();
    jvalue_set(&configuration, "level", json_string(level(rule->ceiling)));
    jvalue_set(&messages, "default", text_object("text", "{0}. {1}."));
    jvalue_set(&object, "id", json_string(rule->id));
    jvalue_set(&object, "name", json_string(rule->name));
    jvalue_set(&object, "shortDescription", text_object("text", rule->brief));
    jvalue_set(&object, "fullDescription", rule_full(rule));
    jvalue_set(&object, "help", rule_help(rule));
    jvalue_set(&object, "defaultConfiguration", configuration);
    jvalue_set(&object, "messageStrings", messages);
    jvalue_set(&object, "properties", rule_properties(rule));
    return object;
}

static json_t *tool(void)
{
    json_t *driver = json_object(), *object = json_object(), *rules = json_array();
    for (size_t i = 0; i < rules_count(); i++)
        jvalue_append(&rules, rule_json(rules_at(i)));
    jvalue_set(&driver, "name", json_string("heapwise"));
    jvalue_set(&driver, "semanticVersion", json_string(HEAPWISE_VERSION));
    jvalue_set(&driver, "rules", rules);
    jvalue_set(&object, "driver", driver);
    return object;
}

static json_t *automation(const struct profile *profile)
{
    struct buffer service = {0}, id = {0};
    json_t *object = json_object();
    wording_service(&service, profile);
    buffer_printf(&id, "heapwise/%s/", buffer_string(&service));
    id.failed |= service.failed;
    jvalue_set(&object, "id", finding_json_words(&id));
    buffer_fini(&service);
    return object;
}

static json_t *bases(const char *root)
{
    struct buffer uri = {0};
    json_t *base = json_object(), *object = json_object();
    uri_add_path(&uri, root);
    buffer_text(&uri, "/");
    jvalue_set(&base, "uri", finding_json_words(&uri));
    jvalue_set(&object, "SRCROOT", base);
    return object;
}

static int put_results(const struct findings *findings, const struct finding_json *context,
                       FILE *out)
{
    int result = 0;
    fputs(",\n\"results\":[", out);
    for (size_t i = 0; i < findings->n && i < SHOW_MAX_RESULTS && result == 0; i++)
        result = jvalue_put_after(i ? ",\n" : "\n", result_json(context, findings->ranked[i]), out);
    fputs("]", out);
    return result;
}

int show_sarif(const struct findings *findings, const struct show_options *options, FILE *out)
{
    const struct finding_json context = {.profile = findings->profile, .root = options->root};
    fprintf(out, "{\"$schema\":\"%s\",\n\"version\":\"2.1.0\",\n\"runs\":[{", SCHEMA);
    int result = jvalue_put_after("\"tool\":", tool(), out);
    result =
        result ? result
               : jvalue_put_after(",\n\"automationDetails\":", automation(findings->profile), out);
    if (options->root)
        result = result ? result
                        : jvalue_put_after(",\n\"originalUriBaseIds\":", bases(options->root), out);
    result = result ? result : put_results(findings, &context, out);
    fputs("}]}\n", out);
    return result;
}

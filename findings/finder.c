/* SPDX-License-Identifier: MIT */
/* What do rules share: keeping a finding, putting numbers into words, pricing a call. */
#include "findings/finder.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findings/findings.h"
#include "findings/store.h"
#include "report/units.h"

double finder_limit(const struct finder *finder, const struct rule *rule, const char *name)
{
    for (size_t i = 0; i < finder->config->n_limits; i++) {
        const struct config_limit *const limit = &finder->config->limits[i];
        if (limit->rule == rule && strcmp(limit->name, name) == 0)
            return limit->value;
    }
    const struct rule_limit *const limit = rule_limit(rule, name);
    assert(limit);
    return limit->value;
}

static bool make_room(struct findings_store *store)
{
    if (store->n_found < store->capacity)
        return true;
    const size_t capacity = store->capacity ? 2 * store->capacity : 64;
    struct finding **const found = reallocarray(store->found, capacity, sizeof *found);
    if (!found)
        return false;
    store->found = found;
    store->capacity = capacity;
    return true;
}

struct finding *finder_add(struct finder *finder, const struct rule *rule)
{
    struct findings_store *const store = finder->findings->store;
    struct finding *const finding =
        make_room(store) ? storage_new(&store->storage, sizeof *finding) : NULL;
    if (!finding) {
        finder->out_of_memory = true;
        return NULL;
    }
    finding->rule = rule;
    finding->confidence = rule->confidence;
    finding->title = "";
    finding->suggestion.text = "";
    store->found[store->n_found++] = finding;
    return finding;
}

void finder_about_site(struct finding *finding, const struct site *site)
{
    finding->site = site;
    finding->place = (struct finding_place){site->n_frames, site->frames, site->place};
    finding->evidence.sizes = &site->sizes;
}

void finder_about_io_site(struct finding *finding, const struct io_site *site)
{
    finding->io_site = site;
    finding->place = (struct finding_place){site->n_frames, site->frames, site->place};
    finding->evidence.sizes = &site->sizes;
    if (*site->path) {
        finding->evidence.n_paths = 1;
        finding->evidence.paths[0] = site->path;
    }
}

const char *finder_keep(struct finder *finder, const char *text, size_t n_bytes)
{
    const size_t most = FINDING_MAX_TEXT_BYTES - 1;
    const char *const kept =
        storage_text(&finder->findings->store->storage, text, n_bytes < most ? n_bytes : most);
    finder->out_of_memory |= !kept;
    return kept ? kept : "";
}

const char *finder_text(struct finder *finder, const char *format, ...)
{
    char text[FINDING_MAX_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return finder_keep(finder, text, strlen(text));
}

/* Keep what a unit's words are for a value. */
static const char *keep_units(struct finder *finder, struct buffer *words)
{
    const char *const kept = finder_keep(finder, buffer_string(words), words->length);
    finder->out_of_memory |= words->failed;
    buffer_fini(words);
    return kept;
}

const char *finder_number(struct finder *finder, double value)
{
    struct buffer words = {0};
    units_add_integer(&words, UNIT_COUNT, finder_whole(value));
    return keep_units(finder, &words);
}

const char *finder_bytes(struct finder *finder, double bytes)
{
    struct buffer words = {0};
    units_add_integer(&words, UNIT_BYTES, finder_whole(bytes));
    return keep_units(finder, &words);
}

const char *finder_seconds(struct finder *finder, double seconds)
{
    struct buffer words = {0};
    units_add_integer(&words, UNIT_NS, finder_whole(seconds * 1e9));
    return keep_units(finder, &words);
}

void finder_doubt(struct finding *finding, double factor, const char *reason)
{
    finding->confidence *= factor;
    if (finding->n_reasons < FINDING_MAX_REASONS)
        finding->reasons[finding->n_reasons++] = reason;
}

/* Without a timed call: glibc's malloc and free of a small block from its thread cache take about 20 ns
 * together on machines of the last ten years. */
static const double USUAL_PAIR_SECONDS = 20e-9;

/* About the mean: most calls take p50, but the one in ten that is not served from a list counts, too. */
static double usual_ns(const struct quantiles *call_ns)
{
    return 0.9 * (double)call_ns->p50 + 0.1 * (double)call_ns->p95;
}

double finder_pair_seconds(const struct site *site, bool *measured_out)
{
    *measured_out = site->alloc_call_ns.n > 0;
    if (!*measured_out)
        return USUAL_PAIR_SECONDS;
    return 1e-9 * (usual_ns(&site->alloc_call_ns) + usual_ns(&site->free_call_ns));
}

/* SPDX-License-Identifier: MIT */
/* Which findings say the same thing, and which are about the same blocks or calls?
 *
 * Both are asked by way of what they are about, never by comparing each with each: a configuration without
 * limits makes a finding of every place, and a trace may have any number of places. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "findings/engine.h"
#include "findings/store.h"
#include "reader/array.h"
#include "reader/hash.h"
#include "reader/idmap.h"

/* What a finding is about; NULL where it is about the whole run. */
static const void *subject(const struct finding *finding)
{
    const void *const subjects[] = {finding->site, finding->io_site, finding->io_file,
                                    finding->io_opener, finding->path_site};
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        if (subjects[i])
            return subjects[i];
    return NULL;
}

/* Rules run in the order of their table, so the first of a group is the one to keep. */
int merge_groups(struct findings_store *store)
{
    struct idmap told = {.n_used = 0};
    size_t n = 0;
    int error = 0;
    for (size_t i = 0; i < store->n_found && error == 0; i++) {
        struct finding *const finding = store->found[i];
        const uint64_t key = hash_pair((uintptr_t)subject(finding), finding->rule->group);
        const bool may_merge = finding->rule->group != GROUP_NONE && subject(finding);
        if (may_merge && idmap_get(&told, key))
            continue;
        error = may_merge ? idmap_put(&told, key, 1) : 0;
        store->found[n++] = finding;
    }
    idmap_fini(&told);
    store->n_found = error ? store->n_found : n;
    return error;
}

/* ---- what findings may have in common ---- */

enum {
    N_CLAIMS = sizeof(struct finding_saves) / sizeof(struct maybe),
    FIRST_OF_THING = FINDING_MAX_RELATED + 1, /* one of them may be who asks */
};

/* A site, a file, ...: findings that have it in common overlap. */
struct thing {
    uint32_t findings[FIRST_OF_THING]; /* the first ones, in their order */
    uint32_t n;
    bool is_claimed[N_CLAIMS]; /* which member of struct finding_saves one of them has */
};

struct things {
    struct idmap numbers; /* by key */
    struct thing *all;
    uint32_t n, capacity;
    struct finding *at_peak[2]; /* the first that lowers the peak: about blocks, about a file */
};

static uint32_t n_keys(const struct finding *finding)
{
    return finding->n_sites + 2;
}

/* 0: nothing. Addresses leave the highest bit free. That two paths have one key is not excluded, only unlikely: then
 * their findings are linked. */
static uint64_t key_at(const struct finding *finding, uint32_t i)
{
    const struct finding_evidence *const evidence = &finding->evidence;
    if (i == 0)
        return (uintptr_t)subject(finding);
    if (i > 1)
        return (uintptr_t)finding->sites[i - 2];
    if (!finding->io_site || evidence->n_paths != 1)
        return 0;
    return hash_bytes(evidence->paths[0], strlen(evidence->paths[0])) | UINT64_C(1) << 63;
}

static struct thing *thing_at(const struct things *things, const struct finding *finding,
                              uint32_t i)
{
    const uint64_t key = key_at(finding, i);
    return key ? &things->all[idmap_get(&things->numbers, key) - 1] : NULL;
}

static int add_thing(struct things *things, uint64_t key)
{
    struct thing *const all =
        array_room(things->all, things->n, &things->capacity, sizeof *things->all);
    if (!all)
        return -ENOMEM;
    things->all = all;
    all[things->n++] = (struct thing){.n = 0};
    return idmap_put(&things->numbers, key, things->n);
}

static int gather(struct things *things, const struct finding *finding, uint32_t number)
{
    for (uint32_t i = 0; i < n_keys(finding); i++) {
        const uint64_t key = key_at(finding, i);
        const int error = key && !idmap_get(&things->numbers, key) ? add_thing(things, key) : 0;
        if (error)
            return error;
        struct thing *const thing = thing_at(things, finding, i);
        const bool is_there = thing && thing->n && thing->findings[thing->n - 1] == number;
        if (thing && !is_there && thing->n < FIRST_OF_THING)
            thing->findings[thing->n++] = number;
    }
    return 0;
}

/* ---- linking ---- */

/* Put a number where it belongs among the lowest ones; each once. */
static uint32_t add_number(uint32_t numbers[FINDING_MAX_RELATED], uint32_t n, uint32_t number)
{
    uint32_t at = 0;
    while (at < n && numbers[at] < number)
        at++;
    if (at == FINDING_MAX_RELATED || (at < n && numbers[at] == number))
        return n;
    const uint32_t n_kept = n < FINDING_MAX_RELATED ? n : FINDING_MAX_RELATED - 1;
    memmove(&numbers[at + 1], &numbers[at], (n_kept - at) * sizeof *numbers);
    numbers[at] = number;
    return n_kept + 1;
}

static void relate(const struct things *things, struct finding *const *findings, uint32_t number)
{
    struct finding *const finding = findings[number];
    uint32_t numbers[FINDING_MAX_RELATED], n = 0;
    for (uint32_t i = 0; i < n_keys(finding); i++) {
        const struct thing *const thing = thing_at(things, finding, i);
        for (uint32_t j = 0; thing && j < thing->n; j++)
            if (thing->findings[j] != number)
                n = add_number(numbers, n, thing->findings[j]);
    }
    for (uint32_t i = 0; i < n; i++)
        finding->related[i] = findings[numbers[i]]->id;
    finding->n_related = n;
}

static void take_away(struct finding *finding, const struct finding *first)
{
    const struct maybe *const claimed = (const struct maybe *)&first->saves;
    struct maybe *const left = (struct maybe *)&finding->saves;
    for (size_t i = 0; i < N_CLAIMS; i++)
        left[i].known &= !(claimed[i].known && claimed[i].value > 0);
}

static void append(struct finding *finding, const struct finding *other)
{
    if (finding->n_related < FINDING_MAX_RELATED)
        finding->related[finding->n_related++] = other->id;
}

/* A file read as a whole, and the blocks that made the peak: the file lies in one of them. */
static void share_peak(struct things *things, struct finding *finding)
{
    const bool is_file = finding->io_site != NULL;
    struct finding *const first = things->at_peak[!is_file];
    if (!finding->saves.peak_bytes.known || !(finding->saves.peak_bytes.value > 0))
        return;
    if (first) {
        append(first, finding);
        append(finding, first);
        take_away(finding, first);
    } else if (!things->at_peak[is_file]) {
        things->at_peak[is_file] = finding;
    }
}

/* What an earlier one saves, this one cannot save again; what is left to it, no later one can. */
static void claim(struct things *things, struct finding *finding)
{
    struct maybe *const saves = (struct maybe *)&finding->saves;
    for (uint32_t i = 0; i < n_keys(finding); i++) {
        const struct thing *const thing = thing_at(things, finding, i);
        for (size_t j = 0; thing && j < N_CLAIMS; j++)
            saves[j].known &= !thing->is_claimed[j];
    }
    share_peak(things, finding);
    for (uint32_t i = 0; i < n_keys(finding); i++) {
        struct thing *const thing = thing_at(things, finding, i);
        for (size_t j = 0; thing && j < N_CLAIMS; j++)
            thing->is_claimed[j] |= saves[j].known && saves[j].value > 0;
    }
}

int merge_link(struct finding *const *findings, size_t n)
{
    struct things things = {.n = 0};
    int error = n < UINT32_MAX ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < n && error == 0; i++)
        error = gather(&things, findings[i], i);
    for (uint32_t i = 0; i < n && error == 0; i++) {
        relate(&things, findings, i);
        claim(&things, findings[i]);
    }
    idmap_fini(&things.numbers);
    free(things.all);
    return error;
}

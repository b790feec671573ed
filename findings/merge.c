/* SPDX-License-Identifier: MIT */
/* Which findings say the same thing, and which are about the same blocks or calls? */
#include <string.h>

#include "findings/engine.h"
#include "findings/store.h"

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

static bool is_same_thing(const struct finding *a, const struct finding *b)
{
    return a->rule->group != GROUP_NONE && a->rule->group == b->rule->group && subject(a) &&
           subject(a) == subject(b);
}

/* Rules run in the order of their table, so the first of a group is the one to keep. */
void merge_groups(struct findings_store *store)
{
    size_t n = 0;
    for (size_t i = 0; i < store->n_found; i++) {
        bool is_told = false;
        for (size_t j = 0; j < n && !is_told; j++)
            is_told = is_same_thing(store->found[j], store->found[i]);
        if (!is_told)
            store->found[n++] = store->found[i];
    }
    store->n_found = n;
}

static bool covers_site(const struct finding *finding, const struct site *site)
{
    for (uint32_t i = 0; i < finding->n_sites; i++)
        if (finding->sites[i] == site)
            return true;
    return site && finding->site == site;
}

/* A file read as a whole, and the blocks that made the peak: the file lies in one of them. */
static bool share_peak(const struct finding *a, const struct finding *b)
{
    return a->saves.peak_bytes.known && b->saves.peak_bytes.known && !a->io_site != !b->io_site;
}

/* Whether they are about the same blocks or calls: one has the other's site among its own, or both have one
 * file, or both were found at the same place. */
static bool overlap(const struct finding *a, const struct finding *b)
{
    if (subject(a) && subject(a) == subject(b))
        return true;
    if (covers_site(a, b->site) || covers_site(b, a->site) || share_peak(a, b))
        return true;
    for (uint32_t i = 0; i < b->n_sites; i++)
        if (covers_site(a, b->sites[i]))
            return true;
    return a->io_site && b->io_site && a->evidence.n_paths == 1 && b->evidence.n_paths == 1 &&
           strcmp(a->evidence.paths[0], b->evidence.paths[0]) == 0;
}

static void relate(struct finding *finding, const struct finding *other)
{
    if (finding->n_related < FINDING_MAX_RELATED)
        finding->related[finding->n_related++] = other->id;
}

/* What the first one saves, the other one cannot save again. */
static void claim(const struct finding *first, struct finding *other)
{
    const struct maybe *const claimed = (const struct maybe *)&first->saves;
    struct maybe *const left = (struct maybe *)&other->saves;
    for (size_t i = 0; i < sizeof first->saves / sizeof *claimed; i++)
        if (claimed[i].known && claimed[i].value > 0)
            left[i].known = false;
}

void merge_link(struct finding *const *findings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            if (!overlap(findings[i], findings[j]))
                continue;
            relate(findings[i], findings[j]);
            relate(findings[j], findings[i]);
            claim(findings[i], findings[j]);
        }
    }
}

/* SPDX-License-Identifier: MIT */
/* Which blocks come and go so often that asking the allocator for each of them is waste? */
#include <errno.h>

#include "findings/sites.h"

/* ---- AL104: blocks of all sizes that serve one step ---- */

static const char *say_storm(struct finder *finder, const struct site *site)
{
    const char *const large = finder_bytes(finder, (double)site->sizes.p95);
    if (site->sizes.min == site->sizes.max)
        return finder_text(
            finder, "Keep one block of %s between calls, or hand the data on by reference.", large);
    return finder_text(
        finder,
        "Keep one buffer of %s between calls and let it grow where that is not enough, "
        "or hand the data on by reference: half of the blocks need no more than %s.",
        large, finder_bytes(finder, (double)site->sizes.p50));
}

static int tell_storm(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const double count = (double)site->metrics.temporary_count;
    struct finding *const finding = sites_found(finder, rule, site, "temporary_count", count);
    if (!finding)
        return -ENOMEM;
    finding->evidence.count = site->metrics.alloc_count;
    finding->title = finder_text(finder, "%s of %s freed before the next allocation",
                                 sites_say_blocks(finder, count), sites_say_sizes(finder, site));
    finding->percentage = finding->impact =
        finder_percent(count, (double)finder->profile->totals.alloc_count);
    finding->whole = OF_ALLOC_COUNT;
    finding->suggestion.text = say_storm(finder, site);
    sites_save(finding, count, 0);
    return 0;
}

static int look_storm(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const double temporary = (double)site->metrics.temporary_count;
    const double all = (double)finder->profile->totals.alloc_count;
    if (temporary < finder_limit(finder, rule, "min_count") || site->metrics.alloc_count == 0 ||
        finder_percent(temporary, all) < finder_limit(finder, rule, "min_percent"))
        return 0;
    return tell_storm(finder, rule, site);
}

static int find_storms(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_storm);
}

static const struct rule rows[] = {
    {
        .id = "AL104",
        .name = "temporary_storm",
        .brief = "blocks that are freed before their thread allocates again",
        .category = CATEGORY_ALLOCATION,
        .group = GROUP_CHURN,
        .kind = SUGGEST_REUSE_BUFFER,
        .effort = 1,
        .confidence = 0.8,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_count", 1000, "temporary blocks from the place"},
                   {"min_percent", 5, "share of them in all allocations"}},
        .must_keep = {"a caller that keeps the block must go on having its own",
                      "what is left in a buffer that is used again must not be read"},
        .why_same_output =
            "The data lies in another block; what is written to it and read from it, and in "
            "which order, stays.",
        .sort = "temporary_count",
        .expect = "temporary_count of the place near 0; the finding is gone",
        .meaning = "A block served a single step: it was freed before its thread asked for\n"
                   "another one. Sizes differ, so one pool of equal slots would not fit.\n",
        .evidence = "temporary_count of the place, its share of all allocations, and the sizes\n"
                    "asked for. Counted exactly, per thread.\n",
        .example_c = "    /* before: for each line */          /* after */\n"
                     "    char *copy = strdup(line);           static buffer, grown with realloc\n"
                     "    use(copy);                           only when a line is longer than\n"
                     "    free(copy);                          any before it\n",
        .example_cpp = "    // before                            // after\n"
                       "    for (...) {                          std::string key;\n"
                       "        std::string key = a + b;         for (...) {\n"
                       "        find(key);                           key.assign(a).append(b);\n"
                       "    }                                        find(key);\n"
                       "                                         }\n",
        .when_not = "Leave it where the place runs a few times a second, where the buffer would\n"
                    "have to be shared between threads, or where one huge input would make it\n"
                    "stay huge.\n",
        .find = find_storms,
    },
};

const struct rule_family alloc_churn_rules = {rows, sizeof rows / sizeof *rows};

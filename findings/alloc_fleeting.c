/* SPDX-License-Identifier: MIT */
/* Which large zeroed blocks die before anybody can have used them in whole? */
#include <errno.h>

#include "findings/sites.h"

static int tell_fleeting(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const struct site_habits *const habits = site->habits;
    const double count = (double)habits->fleeting_count;
    struct finding *const finding =
        sites_found(finder, rule, site, "alloc_bytes", (double)site->metrics.alloc_bytes);
    if (!finding)
        return -ENOMEM;
    finding->title =
        finder_text(finder, "%s zeroed blocks of up to %s freed sooner than they can be filled",
                    finder_number(finder, count), finder_bytes(finder, (double)site->sizes.max));
    finding->percentage =
        finder_percent((double)habits->fleeting_bytes, (double)finder->profile->totals.alloc_bytes);
    finding->impact = finding->percentage;
    finding->whole = OF_ALLOC_BYTES;
    finding->suggestion.text = finder_text(
        finder,
        "Allocate it only when it is known to be needed, in the size needed, or keep one: %s of %s "
        "blocks cannot have been written in whole, and calloc may clear every byte (median %s a "
        "call).",
        finder_number(finder, count), finder_number(finder, (double)site->metrics.alloc_count),
        finder_seconds(finder, 1e-9 * (double)site->alloc_call_ns.p50));
    finding->suggestion.buffer =
        (struct finding_buffer){true, site->sizes.max, site->metrics.alloc_count,
                                site->metrics.alloc_count > habits->fleeting_count
                                    ? site->metrics.alloc_count - habits->fleeting_count
                                    : 0};
    sites_save(finding, count, 0);
    finding->saves.bytes = maybe_known((double)habits->fleeting_bytes);
    return 0;
}

static int look_fleeting(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const struct site_habits *const habits = site->habits;
    const double count = (double)site->metrics.alloc_count;
    const double of_bytes =
        finder_percent((double)habits->fleeting_bytes, (double)finder->profile->totals.alloc_bytes);
    const bool is_calloc = finder_percent((double)habits->calloc_count, count) >= 90;
    const bool is_fleeting = finder_percent((double)habits->fleeting_count, count) >=
                             finder_limit(finder, rule, "min_fleeting_percent");
    if (!is_calloc || !is_fleeting || of_bytes < finder_limit(finder, rule, "min_percent") ||
        (double)habits->fleeting_count < finder_limit(finder, rule, "min_count"))
        return 0;
    return tell_fleeting(finder, rule, site);
}

static int find_fleeting(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_fleeting);
}

static const struct rule rows[] = {
    {
        .id = "AL133",
        .name = "fleeting_calloc",
        .brief = "large zeroed blocks freed before they can be filled",
        .category = CATEGORY_ALLOCATION,
        .group = GROUP_CHURN,
        .kind = SUGGEST_LAZY_ALLOCATE,
        .effort = 2,
        .confidence = 0.8,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_count", 100, "such blocks"},
                   {"min_fleeting_percent", 50, "share of them in the place's allocations"},
                   {"min_percent", 5, "share of their bytes in all bytes allocated"}},
        .must_keep = {"code that relies on zeroes must find them, where it reads"},
        .why_same_output = "What is never written or read cannot change a result; check that the "
                           "paths which do use the block still get it zeroed.",
        .sort = "alloc_bytes",
        .expect = "alloc_count of the place falls; the finding is gone",
        .meaning = "Blocks of at least 64 KiB come from calloc and are freed so soon that memory\n"
                   "cannot be written that fast. They are used in part or not at all, and\n"
                   "clearing them may be all that ever happened to them.\n",
        .evidence = "Blocks that lived shorter than their size takes to write at 64 bytes a\n"
                    "nanosecond, their number and bytes, and what a call took. That a block was\n"
                    "never touched is not known, only that it cannot have been filled.\n",
        .example_c = "    /* before */                         /* after */\n"
                     "    char *out = calloc(1, MAX);          if (!ready(job))\n"
                     "    if (!ready(job)) {                       return 0;\n"
                     "        free(out);                       char *out = calloc(1, job->size);\n"
                     "        return 0;\n"
                     "    }\n",
        .example_cpp = "    // C++ has no calloc; std::vector clears as well. Where every byte is\n"
                       "    // written anyway:\n"
                       "    auto p = std::make_unique_for_overwrite<char[]>(size);\n",
        .when_not = "Leave it where the allocator gets such blocks from the kernel, already\n"
                    "zeroed, and the call is cheap: the time of a call tells.\n",
        .find = find_fleeting,
    },
};

const struct rule_family alloc_fleeting_rules = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: MIT */
/* Which blocks are freed by another thread than the one that allocated them? Allocators keep free blocks by
 * thread, so each such free goes to somebody else's list, under a lock or by an atomic operation. */
#include <errno.h>

#include "findings/sites.h"

/* Putting a block into a queue and taking it out, an atomic operation each. */
static const double QUEUE_SECONDS = 20e-9;

static int tell_handover(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const double count = (double)site->habits->freed_elsewhere_count;
    const double n_live = (double)site->max_live_count;
    struct finding *const finding =
        sites_found(finder, rule, site, "free_count", (double)site->metrics.free_count);
    if (!finding)
        return -ENOMEM;
    finding->title =
        finder_text(finder, "%s of %s blocks freed by another thread", finder_number(finder, count),
                    finder_number(finder, (double)site->metrics.free_count));
    finding->percentage = finding->impact =
        finder_percent(count, (double)finder->profile->totals.alloc_count);
    finding->whole = OF_ALLOC_COUNT;
    finding->suggestion.text = finder_text(
        finder,
        "Hand the blocks back to the thread that allocates, through a second queue, and let it use "
        "them again: at most %s of up to %s were live at once. Where they cannot be handed back "
        "one by one, pass them on in batches.",
        finder_number(finder, n_live), finder_bytes(finder, (double)site->sizes.max));
    finding->suggestion.buffer = (struct finding_buffer){
        true, site->sizes.max, site->metrics.alloc_count, site->max_live_count};
    sites_save(finding, count > n_live ? count - n_live : 0, QUEUE_SECONDS);
    sites_doubt_live(finding);
    if (n_live * 20 > (double)site->metrics.alloc_count)
        finder_doubt(finding, 0.7, "many blocks are live at once: few could be used again");
    return 0;
}

static int look_handover(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const double count = (double)site->habits->freed_elsewhere_count;
    if (count < finder_limit(finder, rule, "min_count") ||
        finder_percent(count, (double)site->metrics.free_count) <
            finder_limit(finder, rule, "min_elsewhere_percent") ||
        finder_percent(count, (double)finder->profile->totals.alloc_count) <
            finder_limit(finder, rule, "min_percent"))
        return 0;
    return tell_handover(finder, rule, site);
}

static int find_handovers(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_handover);
}

static const struct rule rows[] = {
    {
        .id = "AL134",
        .name = "cross_thread_free",
        .brief = "blocks allocated by one thread and freed by another",
        .category = CATEGORY_LOCK_CONTENTION,
        .group = GROUP_CHURN,
        .kind = SUGGEST_REUSE_BUFFER,
        .effort = 3,
        .confidence = 0.7,
        .ceiling = SEVERITY_HIGH,
        .limits = {{"min_count", 1000, "blocks freed by another thread"},
                   {"min_elsewhere_percent", 50, "share of them in the place's frees"},
                   {"min_percent", 5, "share of them in all allocations"}},
        .must_keep = {"a block must not be written again while its reader has it",
                      "what the queue guarantees about order"},
        .why_same_output = "The same messages pass in the same order; only the memory they lie in "
                           "goes round instead of back to the allocator.",
        .sort = "free_count",
        .expect = "alloc_count of the place falls to the blocks in flight; the finding is gone",
        .meaning = "One thread allocates, another one frees: a producer and its consumer. The\n"
                   "allocator cannot serve the producer from its own list of free blocks, and\n"
                   "the consumer's frees meet the producer's allocations at one lock or one\n"
                   "cache line.\n",
        .evidence = "Frees of the place's blocks by another thread than the one that allocated,\n"
                    "counted for each block, and the most blocks live at one moment. Waiting\n"
                    "for the lock is part of the calls' time where it was measured.\n",
        .example_c =
            "    /* before */                         /* after */\n"
            "    m = malloc(sizeof *m);               m = queue_take(&done);\n"
            "    fill(m);                             if (!m)\n"
            "    queue_put(&work, m);                     m = malloc(sizeof *m);\n"
            "    /* consumer: free(m); */             fill(m);\n"
            "                                         queue_put(&work, m);\n"
            "                                         /* consumer: queue_put(&done, m); */\n",
        .example_cpp = "    // before                            // after\n"
                       "    work.push(std::make_unique<Job>());  auto job = done.take_or_new();\n"
                       "                                         job->reset();\n"
                       "                                         work.push(std::move(job));\n",
        .when_not =
            "Leave it where messages are few, or where an allocator made for it (mimalloc,\n"
            "jemalloc) is in use and replay shows no difference.\n",
        .find = find_handovers,
    },
};

const struct rule_family alloc_handover_rules = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: MIT */
/* Which blocks serve one call after the other, so that one buffer could serve them all? Large ones are kept
 * between calls; small ones fit on the stack. */
#include <errno.h>

#include "findings/sites.h"

/* ---- AL103: a large block for each round of a loop ---- */

static int tell_hoisted(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const double count = (double)site->metrics.alloc_count;
    const double n_buffers =
        (double)site->max_live_count * (site->n_processes > 1 ? site->n_processes : 1);
    struct finding *const finding =
        sites_found(finder, rule, site, "alloc_bytes", (double)site->metrics.alloc_bytes);
    if (!finding)
        return -ENOMEM;
    finding->title =
        finder_text(finder, "a block of %s%s allocated %s times, at most %s at once",
                    site->sizes.min < site->sizes.max ? "up to " : "",
                    finder_bytes(finder, (double)site->sizes.max), finder_number(finder, count),
                    finder_number(finder, (double)site->max_live_count));
    finding->percentage = sites_bytes_percent(finder, site);
    finding->whole = OF_ALLOC_BYTES;
    finding->impact = finding->percentage * (1 - n_buffers / count);
    finding->suggestion.text = finder_text(
        finder,
        "Allocate %s once%s, keep it from one round to the next and free it at the end: %s in "
        "place of %s allocations.",
        finder_bytes(finder, (double)site->sizes.max),
        site->most_threads > 1  ? " for each thread"
        : site->n_processes > 1 ? " in each process"
                                : "",
        finder_number(finder, n_buffers), finder_number(finder, count));
    finding->suggestion.buffer = (struct finding_buffer){
        true, site->sizes.max, site->metrics.alloc_count, site->max_live_count};
    sites_save(finding, count - n_buffers, 0);
    if (sites_same_function_percent(finder->profile, site) < 95)
        finder_doubt(finding, 0.9, "not seen to be freed by the function that allocates");
    if (site->sizes.max > 2 * site->sizes.p50)
        finder_doubt(finding, 0.9, "sizes differ: the largest block is more than twice the usual");
    return 0;
}

static int look_hoisted(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const bool is_large = (double)site->sizes.p50 >= finder_limit(finder, rule, "min_bytes");
    const bool is_often =
        (double)site->metrics.alloc_count >= finder_limit(finder, rule, "min_count") &&
        sites_bytes_percent(finder, site) >= finder_limit(finder, rule, "min_percent");
    const bool is_alone = site->max_live_count > 0 && site->max_live_count <= site->most_threads;
    if (!is_large || !is_often || !is_alone || sites_freed_percent(site) < 95)
        return 0;
    return tell_hoisted(finder, rule, site);
}

static int find_hoisted(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_hoisted);
}

/* ---- AL102: a small block that its function frees itself ---- */

/* How much of that is known. */
static const char *say_seen(struct finder *finder, const struct site *site, double percent)
{
    const uint64_t n_seen = site->habits->freed_seen_count;
    if (percent >= 100 && n_seen >= site->metrics.free_count)
        return "";
    return finder_text(finder, ", in %.0f %% of %s frees seen", percent,
                       finder_number(finder, (double)n_seen));
}

static const char *say_stack(struct finder *finder, const struct site *site)
{
    const char *const most = finder_bytes(finder, (double)site->sizes.max);
    if (site->sizes.min == site->sizes.max)
        return finder_text(finder,
                           "Use a variable or an array of %s on the stack: all blocks were of that "
                           "size. Where the length comes from input, keep the heap for what does "
                           "not fit.",
                           most);
    return finder_text(
        finder,
        "Use an array of %s on the stack, and the heap for what does not fit: no block "
        "was larger in this run, but where the length comes from input one may be.",
        most);
}

static int tell_stack(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const double percent = sites_same_function_percent(finder->profile, site);
    const double count = (double)site->metrics.alloc_count;
    struct finding *const finding = sites_found(finder, rule, site, "alloc_count", count);
    if (!finding)
        return -ENOMEM;
    finding->title =
        finder_text(finder, "%s of at most %s freed by the function that allocated%s",
                    sites_say_blocks(finder, count), finder_bytes(finder, (double)site->sizes.max),
                    say_seen(finder, site, percent));
    finding->percentage = finding->impact = sites_count_percent(finder, site);
    finding->whole = OF_ALLOC_COUNT;
    finding->suggestion.text = say_stack(finder, site);
    finding->suggestion.buffer =
        (struct finding_buffer){true, site->sizes.max, site->metrics.alloc_count, 0};
    finding->evidence.sampled = site->habits->freed_seen_count < site->metrics.free_count;
    sites_save(finding, count, 0);
    if (percent < 100)
        finder_doubt(finding, 0.8, "some blocks were freed by another function");
    /* Live blocks of a place are the sum over its stacks. */
    if (site->max_live_count > (uint64_t)site->most_threads * site->n_stacks)
        finder_doubt(finding, 0.9, "several were live at once: check the depth of recursion");
    return 0;
}

static int look_stack(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const struct metrics *const metrics = &site->metrics;
    const bool is_often =
        (double)metrics->alloc_count >= finder_limit(finder, rule, "min_count") &&
        sites_count_percent(finder, site) >= finder_limit(finder, rule, "min_percent");
    /* Grown, kept or handed to another thread: no array of one call can do that. */
    const bool is_local = metrics->realloc_count == 0 && metrics->leaked_count == 0 &&
                          metrics->free_count >= metrics->alloc_count &&
                          site->habits->freed_elsewhere_count == 0;
    if (!is_often || !is_local ||
        (double)site->sizes.max > finder_limit(finder, rule, "max_bytes") ||
        sites_same_function_percent(finder->profile, site) <
            finder_limit(finder, rule, "min_same_percent"))
        return 0;
    return tell_stack(finder, rule, site);
}

static int find_stack(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_stack);
}

static const struct rule rows[] = {
    {
        .id = "AL103",
        .name = "hoisted_buffer",
        .brief = "a large block allocated and freed again in each round",
        .category = CATEGORY_ALLOCATION,
        .group = GROUP_CHURN,
        .kind = SUGGEST_REUSE_BUFFER,
        .effort = 1,
        .confidence = 0.9,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_bytes", 4096, "size that half of the blocks have at least"},
                   {"min_count", 100, "allocations of the place"},
                   {"min_percent", 5, "share of its bytes in all bytes allocated"}},
        .must_keep = {"a caller that keeps the block must go on having its own",
                      "what is left of the last round must not be read",
                      "threads and recursive calls need a buffer each"},
        .why_same_output = "The same bytes are written and read in the same order; only the "
                           "block they lie in is not asked for anew.",
        .sort = "alloc_bytes",
        .expect = "alloc_count of the place falls to the number of buffers; the finding is gone",
        .meaning = "A large block is allocated, used and freed over and over, and never more\n"
                   "of them were live than there are threads: one that stays does the same\n"
                   "work. Large blocks are dear because the allocator may get their pages\n"
                   "from the kernel each time, and the program touches them anew.\n",
        .evidence = "alloc_bytes and alloc_count of the place, sizes, and the most blocks live at\n"
                    "one moment. The time saved is that of the calls alone; page faults come on\n"
                    "top of it and are not in the figure.\n",
        .example_c = "    /* before */                         /* after */\n"
                     "    for (i = 0; i < n; i++) {            char *page = malloc(SIZE);\n"
                     "        char *page = malloc(SIZE);       for (i = 0; i < n; i++)\n"
                     "        fill(page, i);                       fill(page, i);\n"
                     "        free(page);                      free(page);\n"
                     "    }\n",
        .example_cpp = "    // before                            // after\n"
                       "    for (auto &job : jobs) {             std::vector<char> page;\n"
                       "        std::vector<char> page(size);    for (auto &job : jobs) {\n"
                       "        fill(page, job);                     page.assign(size, 0);\n"
                       "    }                                        fill(page, job);\n"
                       "                                         }\n",
        .when_not = "Leave it where rounds are far apart and the memory is wanted in between, or\n"
                    "where one huge round would make the buffer stay huge.\n",
        .find = find_hoisted,
    },
    {
        .id = "AL102",
        .name = "stack_buffer",
        .brief = "small blocks that the function which allocates also frees",
        .category = CATEGORY_ALLOCATION,
        .group = GROUP_CHURN,
        .kind = SUGGEST_STACK_OR_INLINE,
        .effort = 1,
        .confidence = 0.85,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"max_bytes", 1024, "size of the largest block"},
                   {"min_count", 1000, "allocations of the place"},
                   {"min_percent", 5, "share of them in all allocations"},
                   {"min_same_percent", 95, "share of frees in the allocating function"}},
        .must_keep = {"a length that comes from input must go on being checked",
                      "a block that outlives the call must stay on the heap"},
        .why_same_output = "The data lies on the stack instead of the heap while the function "
                           "runs; what is computed from it stays.",
        .sort = "alloc_count",
        .expect = "alloc_count of the place near 0; the finding is gone",
        .meaning = "A small block is allocated and freed by one function: nobody else owns it,\n"
                   "and its size is bounded. An array on the stack costs nothing.\n",
        .evidence =
            "alloc_count and sizes of the place; the stacks of its frees, which end in the\n"
            "same function; no block was resized, leaked or freed by another thread.\n"
            "Frees may be a sample (`heapwise run --free-stacks` records all).\n",
        .example_c = "    /* before */                         /* after */\n"
                     "    char *key = malloc(n + 1);           char small[64], *key = small;\n"
                     "    make_key(key, n);                    if (n + 1 > sizeof small)\n"
                     "    use(key);                                key = malloc(n + 1);\n"
                     "    free(key);                           make_key(key, n);\n"
                     "                                         use(key);\n"
                     "                                         if (key != small)\n"
                     "                                             free(key);\n",
        .example_cpp = "    // before                            // after\n"
                       "    auto p = std::make_unique<Point>();  Point p;\n"
                       "    p->x = 1;                            p.x = 1;\n"
                       "    use(*p);                             use(p);\n",
        .when_not = "Leave it where the function keeps the block from one call to the next and\n"
                    "frees it on the way, in deep recursion, and on threads or coroutines with\n"
                    "small stacks.\n",
        .find = find_stack,
    },
};

const struct rule_family alloc_buffer_rules = {rows, sizeof rows / sizeof *rows};

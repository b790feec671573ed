/* SPDX-License-Identifier: MIT */
/* Which blocks of one size come and go so fast that a free list of a few would serve them all? */
#include <errno.h>

#include "findings/sites.h"

/* Taking a slot off a free list and putting it back: two dependent loads and stores in the first-level
 * cache. */
static const double POOL_PAIR_SECONDS = 2e-9;

enum {
    MOST_LIVE = 65536,        /* above this a pool is the program's main store, not a shortcut */
    SLOTS_FOR_ALL = 1024,     /* so few slots are worth covering even the rarest peak */
    LOCAL_FREES_PERCENT = 99, /* freed by their own thread, from which on each can have its pool */
};

static bool is_local(const struct site *site)
{
    const double elsewhere = (double)site->habits->freed_elsewhere_count;
    return finder_percent(elsewhere, (double)site->metrics.free_count) <= 100 - LOCAL_FREES_PERCENT;
}

static uint64_t slots_for(const struct site *site)
{
    const uint64_t slots = site->habits->slots_999;
    const uint64_t max_live = site->max_live_count;
    return max_live <= SLOTS_FOR_ALL || slots == 0 || slots > max_live ? max_live : slots;
}

static bool is_of_one_thread(const struct site *site)
{
    return site->most_threads <= 1 && site->habits->freed_elsewhere_count == 0;
}

static const char *say_owner(const struct finding_pool *pool, const struct site *site)
{
    if (is_of_one_thread(site))
        return "It needs no lock: one thread uses it.";
    if (pool->scope == POOL_PER_THREAD)
        return "Give each thread its own: nearly all blocks are freed by the thread that "
               "allocated.";
    return "Threads share it: it needs a lock or an atomic list.";
}

static const char *say_share(const struct finding_pool *pool, bool all)
{
    if (pool->slots < pool->max_live)
        return "99.9 % of the";
    return all ? "all" : "at least 99 % of the";
}

static const char *say_whose(const struct finding_pool *pool, const struct site *site)
{
    if (pool->scope == POOL_PER_THREAD)
        return site->n_processes > 1 ? " in all threads of a process" : " in all threads together";
    return site->n_processes > 1 ? " in each process" : "";
}

static const char *say_pool(struct finder *finder, const struct finding_pool *pool,
                            const struct site *site, bool all)
{
    const char *const bytes = finder_bytes(finder, (double)pool->object_bytes);
    if (pool->max_live == 1 && all)
        return finder_text(finder,
                           "Keep the freed object of %s for the next allocation: no two of %s were "
                           "live at once.",
                           bytes, finder_number(finder, (double)site->metrics.alloc_count));
    return finder_text(
        finder,
        "Keep freed objects on a free list: slots of %s, %s of them%s, satisfy %s allocations and "
        "cost %s of memory%s. %s",
        bytes, sites_say_live(finder, site, pool->slots), say_whose(pool, site),
        say_share(pool, all),
        finder_bytes(finder, (double)pool->slots * (double)pool->object_bytes),
        sites_sure_live(finder, site) < pool->slots ? " at most" : "", say_owner(pool, site));
}

static int tell_pool(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const double count = (double)site->metrics.alloc_count;
    bool all;
    const uint64_t bytes = sites_one_size(site, &all);
    struct finding *const finding = sites_found(finder, rule, site, "alloc_count", count);
    if (!finding)
        return -ENOMEM;
    struct finding_pool *const pool = &finding->suggestion.pool;
    *pool = (struct finding_pool){true, bytes, site->max_live_count, slots_for(site),
                                  site->most_threads > 1 && is_local(site) ? POOL_PER_THREAD
                                                                           : POOL_GLOBAL};
    const bool is_sure = sites_sure_live(finder, site) >= site->max_live_count;
    const double stay = (double)pool->slots * (site->n_processes > 1 ? site->n_processes : 1);
    const double saved = count > stay ? count - stay : 0;
    finding->title =
        finder_text(finder, "%s of %s allocated, %s%s live at once%s",
                    sites_say_blocks(finder, count), sites_say_sizes(finder, site),
                    is_sure ? "at most " : "", sites_say_live(finder, site, site->max_live_count),
                    site->n_processes > 1 ? " in a process" : "");
    finding->percentage = sites_count_percent(finder, site);
    finding->whole = OF_ALLOC_COUNT;
    finding->impact = finding->percentage * saved / count;
    finding->suggestion.text = say_pool(finder, pool, site, all);
    sites_save(finding, saved, POOL_PAIR_SECONDS);
    sites_doubt_live(finding);
    if (!all)
        finder_doubt(finding, 0.8, "up to one block in a hundred may be larger than the slot");
    if (!is_of_one_thread(site) && pool->scope == POOL_GLOBAL)
        finder_doubt(finding, 0.8, "threads free each other's blocks: the pool needs a lock");
    return 0;
}

/* Blocks that live long are not waiting to be used again. */
static bool is_short_lived(const struct finder *finder, const struct rule *rule,
                           const struct site *site)
{
    const double most = finder_limit(finder, rule, "max_life_percent") / 100 *
                        finder->profile->totals.duration_seconds;
    return site->lifetime_ns.n > 0 && 1e-9 * (double)site->lifetime_ns.p99 < most;
}

static int look_pool(struct finder *finder, const struct rule *rule, const struct site *site)
{
    bool all;
    const double count = (double)site->metrics.alloc_count;
    const bool is_often =
        count >= finder_limit(finder, rule, "min_count") &&
        sites_count_percent(finder, site) >= finder_limit(finder, rule, "min_percent") &&
        count >= finder_limit(finder, rule, "min_reuse") * (double)site->max_live_count;
    if (!is_often || site->max_live_count == 0 || site->max_live_count > MOST_LIVE ||
        site->metrics.realloc_count > 0 || sites_freed_percent(site) < 90 ||
        sites_one_size(site, &all) == 0 || !is_short_lived(finder, rule, site))
        return 0;
    return tell_pool(finder, rule, site);
}

static int find_pools(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_pool);
}

static const struct rule rows[] = {
    {
        .id = "AL101",
        .name = "object_pool",
        .brief = "blocks of one size that come and go, few live at once",
        .category = CATEGORY_ALLOCATION,
        .group = GROUP_CHURN,
        .kind = SUGGEST_OBJECT_POOL,
        .effort = 2,
        .confidence = 0.85,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_count", 1000, "allocations of the place"},
                   {"min_percent", 5, "share of them in all allocations"},
                   {"min_reuse", 20, "allocations for each block live at once"},
                   {"max_life_percent", 10, "of the run, that 99 % of the blocks lived at most"}},
        .must_keep = {"an object from the pool must be initialized as a new one is",
                      "constructors and destructors run as before",
                      "the pool must be able to grow, or fall back on the heap"},
        .why_same_output = "Every object is initialized before use as before; only the address "
                           "it lies at differs.",
        .sort = "alloc_count",
        .expect = "alloc_count of the place falls to the pool's slots; the finding is gone",
        .meaning = "Blocks of one size are allocated and freed all the time, while only a few\n"
                   "are live at any moment. A free list hands the same few slots out again\n"
                   "for a couple of nanoseconds, without the allocator.\n",
        .evidence = "alloc_count, sizes and lifetimes of the place, and the most blocks live at\n"
                    "one moment. Up to 1,024 slots the pool is as large as that; beyond, as\n"
                    "large as 99.9 % of the allocations needed. Where several call stacks lead\n"
                    "to the place, how many were live lies between the most of one stack and the\n"
                    "sum over all.\n",
        .example_c = "    /* before */                         /* after */\n"
                     "    struct node *n =                     struct node *n = pool;\n"
                     "        malloc(sizeof *n);               if (n)\n"
                     "    ...                                      pool = n->next;\n"
                     "    free(n);                             else\n"
                     "                                             n = malloc(sizeof *n);\n"
                     "                                         ...\n"
                     "                                         n->next = pool, pool = n;\n",
        .example_cpp = "    // before                            // after\n"
                       "    std::list<Item> items;               std::pmr::\n"
                       "                                             unsynchronized_pool_resource\n"
                       "                                             pool;\n"
                       "                                         std::pmr::list<Item>\n"
                       "                                             items(&pool);\n",
        .when_not = "Leave it where the allocator's own thread cache already serves the size for\n"
                    "about the same time, and remember that a pool hides use after free from\n"
                    "tools that watch the heap.\n",
        .find = find_pools,
    },
};

const struct rule_family alloc_pool_rules = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: MIT */
/* Which blocks reach their size in many small steps, each of which moves what was there before?
 *
 *   16 > 32 > 64 > ... > 1 MB    a chain: its steps copy about as much again as they keep */
#include <errno.h>

#include "findings/sites.h"

/* Copying blocks that were just filled: measured at 13 to 100 GB/s while they fit a core's cache, 1.4 to 4 GB/s
 * beyond, where new pages come on top. */
static const double CACHED_BYTES_PER_SECOND = 20e9, MEMORY_BYTES_PER_SECOND = 4e9;

enum {
    CACHE_BYTES = 1048576,
    MREMAP_BYTES = 131072, /* glibc's M_MMAP_THRESHOLD: from here on pages may move, not bytes */
};

static double copy_seconds(const struct growth *growth)
{
    const bool is_cached = growth->final_max_bytes <= CACHE_BYTES;
    return (double)growth->copied_bytes /
           (is_cached ? CACHED_BYTES_PER_SECOND : MEMORY_BYTES_PER_SECOND);
}

static double step_percent(const struct finder *finder, const struct site *site)
{
    const struct metrics *const totals = &finder->profile->totals;
    return finder_percent((double)site->habits->growth.steps,
                          (double)totals->alloc_count + (double)totals->realloc_count);
}

static double copied_percent(const struct finder *finder, const struct site *site)
{
    return finder_percent((double)site->habits->growth.copied_bytes,
                          (double)finder->profile->totals.alloc_bytes);
}

/* The size to reserve: the largest, unless most chains end far below it. */
static uint64_t reserve_for(const struct growth *growth)
{
    const uint64_t mean = growth->chains ? growth->final_sum_bytes / growth->chains : 0;
    return mean > 0 && growth->final_max_bytes / 2 > mean ? mean : growth->final_max_bytes;
}

static void set_share(struct finder *finder, struct finding *finding)
{
    const double steps = step_percent(finder, finding->site);
    const double copied = copied_percent(finder, finding->site);
    finding->percentage = finding->impact = steps > copied ? steps : copied;
    finding->whole = steps > copied ? OF_ALLOC_COUNT : OF_ALLOC_BYTES;
}

/* "each ends at 4.1 kB", or "they end at 2 kB in the mean, 8.19 kB at most". */
static const char *say_ends(struct finder *finder, const struct growth *growth, bool is_one_size)
{
    const double chains = (double)(growth->chains ? growth->chains : 1);
    const char *const most = finder_bytes(finder, (double)growth->final_max_bytes);
    if (is_one_size)
        return finder_text(finder, "%s ends at %s", chains > 1 ? "each" : "it", most);
    return finder_text(finder, "they end at %s in the mean, %s at most",
                       finder_bytes(finder, (double)growth->final_sum_bytes / chains), most);
}

static void set_words(struct finder *finder, struct finding *finding, const char *how)
{
    const struct growth *const growth = &finding->site->habits->growth;
    const double chains = (double)(growth->chains ? growth->chains : 1);
    const bool is_one_size = growth->final_sum_bytes == growth->chains * growth->final_max_bytes;
    finding->title =
        finder_text(finder, "%s grown in %s steps to %s%s", sites_say_blocks(finder, chains),
                    finder_number(finder, (double)growth->steps), is_one_size ? "" : "at most ",
                    finder_bytes(finder, (double)growth->final_max_bytes));
    finding->suggestion.text = finder_text(
        finder, "%s: %s. %s took %.1f steps on average, which left %s in old places.", how,
        say_ends(finder, growth, is_one_size), sites_say_blocks(finder, chains),
        (double)growth->steps / chains, finder_bytes(finder, (double)growth->copied_bytes));
    if (!is_one_size)
        finder_doubt(finding, 0.8, "the blocks end at different sizes");
}

/* A step by realloc is one call, where one by a new block comes with a free. */
static double left_of_a_step(const struct site *site)
{
    return site->metrics.realloc_count ? 1e-9 * (double)site->free_call_ns.p50 : 0;
}

static int tell_growth(struct finder *finder, const struct rule *rule, const struct site *site,
                       const char *how)
{
    const struct growth *const growth = &site->habits->growth;
    struct finding *const finding = sites_found(
        finder, rule, site, site->metrics.realloc_count ? "realloc_count" : "alloc_count",
        (double)(site->metrics.realloc_count ? site->metrics.realloc_count
                                             : site->metrics.alloc_count));
    if (!finding)
        return -ENOMEM;
    set_share(finder, finding);
    set_words(finder, finding, how);
    finding->suggestion.reserve =
        (struct finding_reserve){true, reserve_for(growth), growth->steps, growth->copied_bytes};
    sites_save(finding, (double)growth->steps, left_of_a_step(site));
    finding->saves.bytes = maybe_known((double)growth->copied_bytes);
    finding->saves.seconds.value += copy_seconds(growth);
    if (growth->final_max_bytes >= MREMAP_BYTES && site->metrics.realloc_count)
        finder_doubt(finding, 0.9, "the allocator may have moved pages of large blocks, not bytes");
    return 0;
}

/* A value that takes the place of a smaller one is a step, too, as in a table of strings: such chains end after
 * one. Containers make several. */
static double steps_each(const struct growth *growth)
{
    return (double)growth->steps / (double)(growth->chains ? growth->chains : 1);
}

/* Few steps that copy much count as well as many that copy little. */
static bool is_worth_it(const struct finder *finder, const struct rule *rule,
                        const struct site *site)
{
    const struct growth *const growth = &site->habits->growth;
    const double percent = finder_limit(finder, rule, "min_percent");
    const double chain = finder_limit(finder, rule, "min_chain");
    const bool is_often = (double)growth->steps >= finder_limit(finder, rule, "min_steps") &&
                          steps_each(growth) >= chain && step_percent(finder, site) >= percent;
    const bool is_much = (double)growth->copied_bytes >= finder_limit(finder, rule, "min_copied") &&
                         (double)growth->longest_steps >= chain &&
                         copied_percent(finder, site) >= percent;
    return growth->final_max_bytes > 0 && (is_often || is_much);
}

static int look_staircase(struct finder *finder, const struct rule *rule, const struct site *site)
{
    if (site->metrics.realloc_count == 0 || !is_worth_it(finder, rule, site))
        return 0;
    return tell_growth(finder, rule, site,
                       "Allocate the final size at once, or at least double the size at each step");
}

static int look_container(struct finder *finder, const struct rule *rule, const struct site *site)
{
    if (site->metrics.realloc_count > 0 || !is_worth_it(finder, rule, site))
        return 0;
    return tell_growth(finder, rule, site, "Reserve the capacity before filling");
}

static int find_staircases(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_staircase);
}

static int find_containers(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_container);
}

#define GROWTH_LIMITS                                                                              \
    {                                                                                              \
        {"min_steps", 100, "times a block was replaced by a larger one"},                          \
            {"min_chain", 2, "steps of a block that grew: on average, or of the one with most"},   \
            {"min_copied", 1048576, "or bytes that lay in blocks which were moved"},               \
            {"min_percent", 5, "share in all requests, or of those bytes in all allocated"},       \
    }

static const struct rule rows[] = {
    {
        .id = "AL110",
        .name = "realloc_staircase",
        .brief = "blocks that realloc makes larger many times",
        .category = CATEGORY_ALLOCATION,
        .group = GROUP_GROWTH,
        .kind = SUGGEST_RESERVE_CAPACITY,
        .effort = 2,
        .confidence = 0.9,
        .ceiling = SEVERITY_CRITICAL,
        .limits = GROWTH_LIMITS,
        .must_keep = {"a block that outgrows what was reserved must still grow",
                      "an estimate that comes from input must be bounded"},
        .why_same_output = "The block holds the same bytes in the same order; it is only moved "
                           "less often while it is filled.",
        .sort = "realloc_count",
        .expect = "realloc_count and copied_bytes of the place fall; the finding is gone",
        .meaning = "A block is made larger again and again by realloc. Each step costs a call,\n"
                   "and a step that cannot be done in place copies everything so far.\n",
        .evidence = "realloc_count of the place, the steps that made blocks larger, the sizes of\n"
                    "blocks that were moved, and the sizes at which they ended. A large block\n"
                    "that the allocator maps by itself may move without a copy of its bytes.\n",
        .example_c = "    /* before */                         /* after */\n"
                     "    for (...) {                          if (n == capacity) {\n"
                     "        a = realloc(a, (n + 1)               capacity = capacity ?\n"
                     "                    * sizeof *a);                2 * capacity : expected;\n"
                     "        a[n++] = next();                     a = reallocarray(a,\n"
                     "    }                                            capacity, sizeof *a);\n"
                     "                                         }\n"
                     "                                         a[n++] = next();\n",
        .example_cpp = "    // realloc is C's; a std::vector grows by a factor, and\n"
                       "    items.reserve(expected);\n"
                       "    // asks for everything at once\n",
        .when_not = "Leave it where the final size cannot be guessed and memory is scarce, or\n"
                    "where realloc extends the block in place nearly always: copied_bytes tells.\n",
        .find = find_staircases,
    },
    {
        .id = "AL111",
        .name = "container_growth",
        .brief = "blocks replaced by larger ones from the same place",
        .category = CATEGORY_ALLOCATION,
        .group = GROUP_GROWTH,
        .kind = SUGGEST_RESERVE_CAPACITY,
        .effort = 1,
        .confidence = 0.85,
        .ceiling = SEVERITY_CRITICAL,
        .limits = GROWTH_LIMITS,
        .must_keep = {"an estimate that comes from input must be bounded",
                      "pointers into the container stay valid for longer, never shorter"},
        .why_same_output = "The container holds the same elements in the same order; only the "
                           "capacity it begins with differs.",
        .sort = "alloc_bytes",
        .expect = "alloc_count of the place falls to one for each container; the finding is gone",
        .meaning = "A container outgrows its block: it allocates a larger one, moves its\n"
                   "elements there and frees the old one. Many such steps before it is filled\n"
                   "mean that it was not told how much will come.\n",
        .evidence =
            "Pairs of an allocation and the free of a smaller block from the same stack by\n"
            "the same thread right after it: their number, the bytes they left behind,\n"
            "and the sizes at which the chains end.\n",
        .example_c = "    /* before */                         /* after */\n"
                     "    p = malloc(2 * n);                   if (!p)\n"
                     "    memcpy(p, old, n);                       p = malloc(expected);\n"
                     "    free(old);\n",
        .example_cpp = "    // before                            // after\n"
                       "    std::vector<int> v;                  std::vector<int> v;\n"
                       "    for (int x : in)                     v.reserve(in.size());\n"
                       "        v.push_back(f(x));               for (int x : in)\n"
                       "                                             v.push_back(f(x));\n",
        .when_not = "Leave it where most containers stay empty or small: reserving for the\n"
                    "largest then costs more memory than it saves time.\n",
        .find = find_containers,
    },
};

const struct rule_family alloc_growth_rules = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: MIT */
/* Which blocks were never freed, and do they become more as the program runs? When they were allocated tells:
 * all through the run, or once at its beginning. */
#include <errno.h>
#include <stddef.h>

#include "findings/sites.h"

static uint64_t born_bytes(const struct site *site)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < HABITS_EIGHTHS; i++)
        sum += site->habits->leaked_born_bytes[i];
    return sum;
}

static unsigned eighths_with_leaks(const struct site *site)
{
    unsigned n = 0;
    for (unsigned i = 0; i < HABITS_EIGHTHS; i++)
        n += site->habits->leaked_born[i] > 0;
    return n;
}

/* The largest eighth's share, in percent: 12.5 when growth is even. */
static double largest_eighth_percent(const struct site *site)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < HABITS_EIGHTHS; i++)
        if (site->habits->leaked_born_bytes[i] > most)
            most = site->habits->leaked_born_bytes[i];
    return finder_percent((double)most, (double)born_bytes(site));
}

/* What is never freed goes with its process: of short ones that do the same, each holds its own part. */
static double of_a_process(const struct site *site, uint64_t sum)
{
    return (double)sum / (site->n_processes > 1 ? site->n_processes : 1);
}

static bool is_held(const struct finder *finder, const struct rule *rule, const struct site *site)
{
    const double bytes = (double)site->metrics.leaked_bytes;
    return site->leak_owner == LEAK_PROGRAM && site->metrics.leaked_count > 0 &&
           of_a_process(site, site->metrics.leaked_bytes) >=
               finder_limit(finder, rule, "min_bytes") &&
           finder_percent(bytes, (double)finder->profile->totals.leaked_bytes) >=
               finder_limit(finder, rule, "min_percent");
}

/* Shares of what leaked, and of the peak that is free of it. */
static struct finding *found_held(struct finder *finder, const struct rule *rule,
                                  const struct site *site)
{
    const struct metrics *const totals = &finder->profile->totals;
    const double bytes = (double)site->metrics.leaked_bytes;
    struct finding *const finding = sites_found(finder, rule, site, "leaked_bytes", bytes);
    if (!finding)
        return NULL;
    sites_show_stack(finder, finding, offsetof(struct metrics, leaked_bytes));
    finding->evidence.count = site->metrics.leaked_count;
    finding->evidence.bytes = maybe_known(bytes);
    finding->percentage = finder_percent(bytes, (double)totals->leaked_bytes);
    finding->whole = OF_LEAKED_BYTES;
    const double at_peak =
        (double)site->metrics.peak_bytes < bytes ? (double)site->metrics.peak_bytes : bytes;
    finding->impact = finder_percent(at_peak, (double)totals->peak_bytes);
    return finding;
}

static const char *say_processes(struct finder *finder, const struct site *site)
{
    if (site->n_processes <= 1)
        return "";
    return finder_text(finder, " by %s processes", finder_number(finder, site->n_processes));
}

/* ---- AL120: more and more ---- */

static double bytes_per_second(const struct finder *finder, const struct site *site)
{
    const double seconds = finder->profile->totals.duration_seconds;
    return seconds > 0 ? (double)site->metrics.leaked_bytes / seconds : 0;
}

static enum finding_severity least_severity(const struct finder *finder, const struct site *site)
{
    const double per_minute = 60 * bytes_per_second(finder, site);
    const double of_peak = finder_percent((double)site->metrics.leaked_bytes,
                                          (double)finder->profile->totals.peak_bytes);
    return per_minute >= 1e6 && of_peak >= 10 ? SEVERITY_HIGH : SEVERITY_INFO;
}

static int tell_growing(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const struct metrics *const metrics = &site->metrics;
    struct finding *const finding = found_held(finder, rule, site);
    if (!finding)
        return -ENOMEM;
    const char *const rate = finder_bytes(finder, bytes_per_second(finder, site));
    finding->title = finder_text(finder, "%s, %s never freed%s, %s more each second",
                                 sites_say_blocks(finder, (double)metrics->leaked_count),
                                 finder_bytes(finder, (double)metrics->leaked_bytes),
                                 say_processes(finder, site), rate);
    finding->suggestion.text = finder_text(
        finder,
        "Free these blocks when they are no longer needed, or bound what holds them: they were "
        "allocated in %u of the 8 parts of the run, %s a second. Of %s from here %s were freed.",
        eighths_with_leaks(site), rate, sites_say_blocks(finder, (double)metrics->alloc_count),
        metrics->free_count ? finder_number(finder, (double)metrics->free_count) : "none");
    finding->saves.peak_bytes =
        maybe_known((double)(metrics->peak_bytes < metrics->leaked_bytes ? metrics->peak_bytes
                                                                         : metrics->leaked_bytes));
    finding->floor = least_severity(finder, site);
    if (eighths_with_leaks(site) < HABITS_EIGHTHS || largest_eighth_percent(site) > 25)
        finder_doubt(finding, 0.8, "it does not grow evenly through the run");
    if (metrics->free_count == 0)
        finder_doubt(finding, 0.7, "none was ever freed: all may be needed to the end");
    return 0;
}

static int look_growing(struct finder *finder, const struct rule *rule, const struct site *site)
{
    if (!is_held(finder, rule, site) ||
        of_a_process(site, site->metrics.leaked_count) < finder_limit(finder, rule, "min_count") ||
        eighths_with_leaks(site) < finder_limit(finder, rule, "min_eighths") ||
        largest_eighth_percent(site) > finder_limit(finder, rule, "max_eighth_percent"))
        return 0;
    return tell_growing(finder, rule, site);
}

static int find_growing(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_growing);
}

/* ---- AL121: once, at the beginning ---- */

static int tell_initial(struct finder *finder, const struct rule *rule, const struct site *site)
{
    struct finding *const finding = found_held(finder, rule, site);
    if (!finding)
        return -ENOMEM;
    const char *const bytes = finder_bytes(finder, (double)site->metrics.leaked_bytes);
    finding->title = finder_text(finder, "%s, %s from the beginning never freed%s",
                                 sites_say_blocks(finder, (double)site->metrics.leaked_count),
                                 bytes, say_processes(finder, site));
    finding->impact = 0; /* nothing is gained while the program runs */
    finding->suggestion.text = finder_text(
        finder,
        "Nothing needs to be done if this is what the program works with to its end: all of it was "
        "allocated in the first eighth of the run and does not grow. Free %s at exit where a leak "
        "checker must be silent.",
        bytes);
    return 0;
}

static int look_initial(struct finder *finder, const struct rule *rule, const struct site *site)
{
    if (!is_held(finder, rule, site) || born_bytes(site) == 0 ||
        site->habits->leaked_born_bytes[0] != born_bytes(site))
        return 0;
    return tell_initial(finder, rule, site);
}

static int find_initial(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_initial);
}

static const struct rule rows[] = {
    {
        .id = "AL120",
        .name = "growing_leak",
        .brief = "blocks never freed that become more through the run",
        .category = CATEGORY_LEAK,
        .group = GROUP_HELD,
        .kind = SUGGEST_FREE_IT,
        .effort = 2,
        .confidence = 0.9,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_bytes", 65536, "bytes never freed, of a process in the mean"},
                   {"min_count", 100, "blocks never freed, of a process in the mean"},
                   {"min_percent", 5, "share of them in all bytes never freed"},
                   {"min_eighths", 6, "parts of the run, of 8, that such blocks come from"},
                   {"max_eighth_percent", 50, "share of them from any one part"}},
        .must_keep = {"a block must not be freed while a pointer to it is in use",
                      "a cache must go on finding what it is meant to keep"},
        .why_same_output = "Memory is given back that the program never reads again; check that "
                           "nothing holds a pointer to it.",
        .sort = "leaked_bytes",
        .expect = "leaked_bytes of the place near 0; the finding is gone",
        .meaning = "Blocks from this place were still live when the program ended, and they come\n"
                   "from all parts of its run: the longer it runs, the more memory it holds.\n"
                   "Either they are forgotten, or something that holds them has no bound.\n",
        .evidence = "leaked_count and leaked_bytes of the place, and in which eighth of the run\n"
                    "each block was allocated. Growth per second is leaked_bytes by the run's\n"
                    "length. Whether a pointer still leads to a block is not known.\n",
        .example_c = "    /* before */                         /* after */\n"
                     "    if (parse(copy) < 0)                 if (parse(copy) < 0) {\n"
                     "        return -1;                           free(copy);\n"
                     "    free(copy);                              return -1;\n"
                     "                                         }\n"
                     "                                         free(copy);\n",
        .example_cpp = "    // before                            // after\n"
                       "    Session *s = new Session(fd);        auto s = std::make_unique\n"
                       "    if (!s->open())                          <Session>(fd);\n"
                       "        return false;                    if (!s->open())\n"
                       "                                             return false;\n",
        .when_not = "Leave it where the blocks are the program's result, built all through a run\n"
                    "that ends soon after: a compiler's tree, an interpreter's objects.\n",
        .find = find_growing,
    },
    {
        .id = "AL121",
        .name = "initial_leak",
        .brief = "blocks from the beginning of the run never freed",
        .category = CATEGORY_LEAK,
        .group = GROUP_HELD,
        .kind = SUGGEST_REVIEW,
        .effort = 2,
        .confidence = 0.9,
        .ceiling = SEVERITY_INFO,
        .limits = {{"min_bytes", 65536, "bytes never freed, of a process in the mean"},
                   {"min_percent", 5, "share of them in all bytes never freed"}},
        .must_keep = {"what atexit handlers and destructors use must live until they ran"},
        .why_same_output = "Nothing changes while the program runs; only what happens at its very "
                           "end does.",
        .sort = "leaked_bytes",
        .expect = "leaked_bytes of the place near 0; the finding is gone",
        .meaning = "Blocks were allocated once at the beginning and live until the end. They do\n"
                   "not grow: the kernel takes them back at exit. This is told so that such\n"
                   "places are not taken for leaks that matter.\n",
        .evidence = "leaked_count and leaked_bytes of the place; every one of these blocks was\n"
                    "allocated in the first eighth of its process's life.\n",
        .example_c = "    static char *table;                  static void drop(void)\n"
                     "    table = load_table();                {\n"
                     "                                             free(table);\n"
                     "                                         }\n"
                     "                                         atexit(drop);\n",
        .example_cpp = "    // before                            // after\n"
                       "    static auto *table = new Table;      static Table table;\n",
        .when_not = "Nearly always: freeing at exit costs time and gains nothing but silence in\n"
                    "leak checkers.\n",
        .find = find_initial,
    },
};

const struct rule_family alloc_held_rules = {rows, sizeof rows / sizeof *rows};

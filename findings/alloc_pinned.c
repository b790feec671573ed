/* SPDX-License-Identifier: MIT */
/* Does memory stay with the process after its blocks were freed, because a few that live on lie among them?
 *
 *   at the peak   [....L.......L........L....]   . short-lived  L long-lived, same class
 *   later         [    L       L        L    ]   no page can go back */
#include <errno.h>

#include "findings/sites.h"

/* Means over the points of the timeline after the peak with less than half of it live, and what the process
 * had at the peak besides live blocks. */
struct aftermath {
    double live_bytes, rss_bytes, base_bytes;
    size_t n_points;
};

enum {
    FEW_POINTS = 3, /* resident sets are samples: fewer say nothing */
    PAGE_BYTES = 4096,
};

static uint64_t most_live(const struct profile *profile)
{
    uint64_t most = 0;
    for (size_t i = 0; i < profile->n_timeline; i++)
        if (profile->timeline[i].live_bytes > most)
            most = profile->timeline[i].live_bytes;
    return most;
}

static struct aftermath look_after_peak(const struct profile *profile)
{
    const uint64_t peak = most_live(profile);
    struct aftermath after = {0};
    for (size_t i = 0; i < profile->n_timeline; i++) {
        const struct timeline_point *const point = &profile->timeline[i];
        if (point->t_seconds <= profile->peak_seconds || point->live_bytes > peak / 2)
            continue;
        after.live_bytes += (double)point->live_bytes;
        after.rss_bytes += (double)point->rss_bytes;
        after.n_points++;
    }
    if (after.n_points == 0)
        return after;
    after.live_bytes /= (double)after.n_points;
    after.rss_bytes /= (double)after.n_points;
    after.base_bytes =
        profile->peak_rss_bytes > peak ? (double)(profile->peak_rss_bytes - peak) : 0;
    return after;
}

/* What stayed beyond live blocks and beyond code, stacks and the rest that were there at the peak. */
static double pinned_bytes(const struct aftermath *after)
{
    const double pinned = after->rss_bytes - after->live_bytes - after->base_bytes;
    return pinned > 0 ? pinned : 0;
}

/* Of that, what the long-lived blocks can hold: a page each. */
static double held_bytes(const struct aftermath *after, const struct site *pin)
{
    const double most = (double)pin->metrics.alloc_count * PAGE_BYTES;
    return pinned_bytes(after) < most ? pinned_bytes(after) : most;
}

/* ---- who pins, who was there ---- */

static uint64_t class_of(const struct site *site)
{
    return sites_round_up(site->sizes.p50 + 8); /* with glibc's header; near enough for others */
}

static bool is_long_lived(const struct profile *profile, const struct site *site)
{
    const struct metrics *const metrics = &site->metrics;
    const double half_life = 1e-9 * (double)site->lifetime_ns.p50;
    const bool is_kept = metrics->leaked_count >= metrics->alloc_count / 2 + 1 ||
                         half_life >= 0.5 * profile->totals.duration_seconds;
    return is_kept && site->habits->first_alloc_seconds <= profile->peak_seconds;
}

/* Freed well before the end, and many of them live at the peak. */
static bool is_passing(const struct finder *finder, const struct rule *rule,
                       const struct site *site)
{
    const struct metrics *const metrics = &site->metrics;
    return (double)metrics->peak_count >= finder_limit(finder, rule, "min_count") &&
           sites_freed_percent(site) >= 90 && !is_long_lived(finder->profile, site);
}

/* The place with most bytes at the peak whose blocks pass, of the long-lived one's class; NULL for none. */
static const struct site *find_passing(const struct finder *finder, const struct rule *rule,
                                       const struct site *pin)
{
    const struct profile *const profile = finder->profile;
    const struct site *found = NULL;
    for (size_t i = 0; i < profile->n_places; i++) {
        const struct site *const site = &profile->places[i];
        if (site->habits && class_of(site) == class_of(pin) && is_passing(finder, rule, site) &&
            (!found || site->metrics.peak_bytes > found->metrics.peak_bytes))
            found = site;
    }
    return found;
}

static const char *function_of(const struct profile *profile, const struct site *site)
{
    return site->place < site->n_frames ? profile->frames[site->frames[site->place]].function : "";
}

static void set_words(struct finder *finder, struct finding *finding, const struct site *passing,
                      const struct aftermath *after)
{
    const char *const function = function_of(finder->profile, passing);
    finding->title = finder_text(
        finder, "%s resident with %s live after the peak; long-lived blocks share a size class",
        finder_bytes(finder, after->rss_bytes), finder_bytes(finder, after->live_bytes));
    finding->suggestion.text = finder_text(
        finder,
        "Keep the %s long-lived blocks of this place apart, in an array or a pool of their own, or "
        "allocate them before the others: they are of the same 16-byte class as %s blocks%s%s that "
        "were live at the peak and freed since, and may lie on the same pages. About %s stayed "
        "resident, of which these blocks can hold %s.",
        finder_number(finder, (double)finding->site->metrics.alloc_count),
        finder_number(finder, (double)passing->metrics.peak_count), *function ? " of " : "",
        function, finder_bytes(finder, pinned_bytes(after)),
        finder_bytes(finder, held_bytes(after, finding->site)));
}

/* Of all that pin, the one with the most blocks: it is on the most pages. */
static const struct site *find_pin(const struct finder *finder, const struct rule *rule,
                                   const struct site **passing_out)
{
    const struct profile *const profile = finder->profile;
    const struct site *pin = NULL;
    for (size_t i = 0; i < profile->n_places; i++) {
        const struct site *const site = &profile->places[i];
        if (!site->habits || !is_long_lived(profile, site) ||
            (pin && site->metrics.alloc_count <= pin->metrics.alloc_count))
            continue;
        const struct site *const passing = find_passing(finder, rule, site);
        if (!passing)
            continue;
        pin = site;
        *passing_out = passing;
    }
    return pin;
}

static int find_pinned(struct finder *finder, const struct rule *rule)
{
    const struct aftermath after = look_after_peak(finder->profile);
    const struct site *passing = NULL;
    const struct site *const pin = find_pin(finder, rule, &passing);
    if (!pin || after.n_points < FEW_POINTS ||
        after.rss_bytes < finder_limit(finder, rule, "min_ratio") * after.live_bytes)
        return 0;
    const double held = held_bytes(&after, pin);
    const double percent = finder_percent(held, (double)finder->profile->peak_rss_bytes);
    if (held < finder_limit(finder, rule, "min_bytes") ||
        percent < finder_limit(finder, rule, "min_percent"))
        return 0;
    struct finding *const finding =
        sites_found(finder, rule, pin, "peak_bytes", (double)pin->metrics.peak_bytes);
    if (!finding)
        return -ENOMEM;
    finding->percentage = finding->impact = percent;
    finding->whole = OF_PEAK_BYTES;
    set_words(finder, finding, passing, &after);
    return 0;
}

static const struct rule rows[] = {
    {
        .id = "AL135",
        .name = "pinned_memory",
        .brief = "long-lived blocks among short-lived ones of the same class",
        .category = CATEGORY_FRAGMENTATION,
        .group = GROUP_NONE,
        .kind = SUGGEST_OBJECT_POOL,
        .effort = 3,
        .confidence = 0.6,
        .ceiling = SEVERITY_HIGH,
        .limits = {{"min_ratio", 2, "resident to live bytes after the peak"},
                   {"min_bytes", 8388608,
                    "resident beyond live bytes and what was there, at most a page a block"},
                   {"min_percent", 10, "share of those in the largest resident set"},
                   {"min_count", 10000, "short-lived blocks of the class live at the peak"}},
        .must_keep = {"pointers to the long-lived blocks must stay valid",
                      "the order in which both are built"},
        .why_same_output = "The long-lived blocks lie elsewhere; what they hold and who points to "
                           "them stays.",
        .sort = "peak_bytes",
        .expect = "resident bytes fall towards live bytes after the peak; the finding is gone",
        .meaning = "After the peak most blocks were freed, but the process kept its memory. A\n"
                   "page goes back to the kernel only when nothing on it is live, and this\n"
                   "place's blocks, which stay, are of the same size class as very many that\n"
                   "went: a few of them hold many pages.\n",
        .evidence = "Resident and live bytes over time, from the peak on, less what was resident\n"
                    "beyond live bytes at the peak; sizes and lifetimes of both places. On which\n"
                    "pages blocks lie is not recorded: that is inferred from the class.\n",
        .example_c = "    /* before: by turns */               /* after: apart */\n"
                     "    for (...) {                          kept = reallocarray(NULL, n,\n"
                     "        scratch[i] = malloc(48);                         sizeof *kept);\n"
                     "        if (i % 100 == 0)                for (...)\n"
                     "            kept[n++] = malloc(48);          scratch[i] = malloc(48);\n"
                     "    }\n",
        .example_cpp = "    // before                            // after\n"
                       "    std::map<int, Entry> index;          std::pmr::\n"
                       "    // filled while parsing                  unsynchronized_pool_resource\n"
                       "                                             own;\n"
                       "                                         std::pmr::map<int, Entry>\n"
                       "                                             index(&own);\n",
        .when_not = "Leave it where the memory will soon be needed again, or where replay with\n"
                    "another allocator shows the same resident set: then it is the allocator\n"
                    "that keeps free memory, which malloc_trim(3) gives back.\n",
        .find = find_pinned,
    },
};

const struct rule_family alloc_pinned_rules = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: MIT */
/* Which blocks take more room than they hold: a size just above one of the allocator's classes, an alignment
 * larger than the block? */
#include <errno.h>
#include <string.h>

#include "findings/sites.h"
#include "report/names.h"

/* ---- AL131: just above a class ---- */

/* The class that holds a request, and the one below it. */
struct size_class {
    uint64_t usable_bytes, smaller_bytes;
};

enum { LARGEST_CLASS = 65536 }; /* above, blocks are whole pages and differ by little */

/* glibc: chunks are multiples of 16 with 8 bytes of header; 24 bytes are the least (malloc/malloc.c,
 * request2size). */
static struct size_class class_of_glibc(uint64_t n_bytes)
{
    const uint64_t usable = sites_round_up(n_bytes + 8) - 8;
    return usable > 24 ? (struct size_class){usable, usable - 16} : (struct size_class){24, 0};
}

/* jemalloc and mimalloc: multiples of 16 up to 128, then four classes to each doubling (jemalloc(3), "Size
 * classes"; mimalloc's mi_bin()). */
static struct size_class class_by_quarters(uint64_t n_bytes)
{
    if (n_bytes <= 16)
        return (struct size_class){16, 0};
    if (n_bytes <= 128)
        return (struct size_class){sites_round_up(n_bytes), sites_round_up(n_bytes) - 16};
    const uint64_t step = UINT64_C(1) << (61 - __builtin_clzll(n_bytes - 1));
    const uint64_t usable = (n_bytes + step - 1) / step * step;
    return (struct size_class){usable, usable - step};
}

static const struct {
    const char *name, *says;
    struct size_class (*of)(uint64_t n_bytes);
} allocators[] = {
    {"libc.so", "glibc", class_of_glibc},
    {"libc-2.", "glibc", class_of_glibc},
    {"jemalloc", "jemalloc", class_by_quarters},
    {"mimalloc", "mimalloc", class_by_quarters},
};

/* What a block too large costs; smaller_bytes is 0 where the classes are not known or a smaller one does
 * not exist. */
static struct size_class class_of(const struct profile *profile, uint64_t n_bytes,
                                  const char **says_out)
{
    const char *const base = names_base(profile->allocator);
    for (size_t i = 0; i < sizeof allocators / sizeof *allocators; i++) {
        if (!strstr(base, allocators[i].name) || n_bytes == 0 || n_bytes > LARGEST_CLASS)
            continue;
        *says_out = allocators[i].says;
        return allocators[i].of(n_bytes);
    }
    return (struct size_class){0, 0};
}

static int tell_slack(struct finder *finder, const struct rule *rule, const struct site *site,
                      const struct size_class *class, const char *allocator)
{
    const double count = (double)site->metrics.peak_count;
    const double over = (double)(site->sizes.max - class->smaller_bytes);
    const double step = (double)(class->usable_bytes - class->smaller_bytes);
    const struct metrics *const totals = &finder->profile->totals;
    struct finding *const finding =
        sites_found(finder, rule, site, "slack_bytes", (double)site->metrics.slack_bytes);
    if (!finding)
        return -ENOMEM;
    finding->title = finder_text(finder, "blocks of %s take room for %s, %.0f bytes above a class",
                                 finder_bytes(finder, (double)site->sizes.max),
                                 finder_bytes(finder, (double)class->usable_bytes), over);
    finding->percentage = finding->impact =
        finder_percent(step * count, (double)totals->peak_bytes + (double)totals->slack_bytes);
    finding->whole = OF_PEAK_BYTES;
    finding->suggestion.text = finder_text(
        finder,
        "Make the block %.0f bytes smaller: %s would fit %s's next smaller class. For the %s "
        "blocks "
        "live at the peak that is %s less memory, %.0f bytes each. Order members by size, largest "
        "first, or use narrower types.",
        over, finder_bytes(finder, (double)class->smaller_bytes), allocator,
        finder_number(finder, count), finder_bytes(finder, step * count), step);
    finding->saves.peak_bytes = maybe_known(over * count); /* peak_bytes are those asked for */
    return 0;
}

static int look_slack(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const uint64_t size = site->sizes.max;
    const char *allocator = "";
    const struct size_class class = class_of(finder->profile, size, &allocator);
    if (site->sizes.min != size || class.smaller_bytes == 0)
        return 0;
    const double over = (double)(size - class.smaller_bytes);
    const double waste = (double)(class.usable_bytes - size);
    const double count = (double)site->metrics.peak_count;
    const double gain = (double)(class.usable_bytes - class.smaller_bytes) * count;
    const bool is_just_above = over <= 4 || over <= 0.05 * (double)size;
    /* What was measured must bear out what the classes say. */
    const bool is_seen = (double)site->metrics.slack_bytes >= 0.5 * waste * count;
    if (!is_just_above || !is_seen ||
        finder_percent(waste, (double)class.usable_bytes) <
            finder_limit(finder, rule, "min_waste_percent") ||
        gain < finder_limit(finder, rule, "min_bytes") ||
        finder_percent(gain, (double)finder->profile->totals.peak_bytes) <
            finder_limit(finder, rule, "min_percent"))
        return 0;
    return tell_slack(finder, rule, site, &class, allocator);
}

static int find_slack(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_slack);
}

/* ---- AL132: aligned to more than they hold ---- */

enum { CACHE_LINE_BYTES = 64 };

static int tell_aligned(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const double alignment = (double)site->habits->alignment_bytes;
    const double size = (double)site->sizes.max;
    struct finding *const finding =
        sites_found(finder, rule, site, "alloc_count", (double)site->metrics.alloc_count);
    if (!finding)
        return -ENOMEM;
    finding->title = finder_text(finder, "%s blocks of at most %s aligned to up to %s",
                                 finder_number(finder, (double)site->habits->aligned_count),
                                 finder_bytes(finder, size), finder_bytes(finder, alignment));
    finding->percentage = sites_count_percent(finder, site);
    finding->whole = OF_ALLOC_COUNT;
    finding->impact = finding->percentage * (1 - size / alignment);
    finding->suggestion.text = finder_text(
        finder,
        "Use malloc, which aligns to 16 bytes, unless the alignment is needed; where it is, lay "
        "the "
        "objects side by side in one aligned block. Blocks aligned to %s cannot lie closer "
        "together than that, and these need %s at most.",
        finder_bytes(finder, alignment), finder_bytes(finder, size));
    if (alignment <= CACHE_LINE_BYTES)
        finder_doubt(finding, 0.6,
                     "a cache line of its own may be what the block is meant to have");
    return 0;
}

static int look_aligned(struct finder *finder, const struct rule *rule, const struct site *site)
{
    const struct site_habits *const habits = site->habits;
    const bool is_often =
        (double)habits->aligned_count >= finder_limit(finder, rule, "min_count") &&
        finder_percent((double)habits->aligned_count,
                       (double)finder->profile->totals.alloc_count) >=
            finder_limit(finder, rule, "min_percent");
    if (!is_often ||
        (double)habits->alignment_bytes < finder_limit(finder, rule, "min_alignment") ||
        site->sizes.max > habits->alignment_bytes / 2)
        return 0;
    return tell_aligned(finder, rule, site);
}

static int find_aligned(struct finder *finder, const struct rule *rule)
{
    return sites_each(finder, rule, look_aligned);
}

static const struct rule rows[] = {
    {
        .id = "AL131",
        .name = "size_class_slack",
        .brief = "blocks of a size just above one of the allocator's classes",
        .category = CATEGORY_PEAK_MEMORY,
        .group = GROUP_NONE,
        .kind = SUGGEST_SHRINK,
        .effort = 3,
        .confidence = 0.8,
        .ceiling = SEVERITY_MEDIUM,
        .limits = {{"min_waste_percent", 10, "unused share of the room a block takes"},
                   {"min_bytes", 65536, "less memory at the peak with the smaller class"},
                   {"min_percent", 2, "share of that in peak_bytes"}},
        .must_keep = {"layouts that are written to files or sent, or shared with other code"},
        .why_same_output = "The block holds the same members; only padding or unused width goes.",
        .sort = "slack_bytes",
        .expect = "slack_bytes of the place falls by the bytes named; the finding is gone",
        .meaning = "Allocators hand out blocks of certain sizes only. These blocks are a few\n"
                   "bytes too large for one size and so take the next, of which much stays\n"
                   "unused, in every block.\n",
        .evidence = "The size, which is the same for all blocks of the place, the number live at\n"
                    "the peak, and slack_bytes: room handed out there beyond what was asked for.\n"
                    "Classes are those of glibc, jemalloc and mimalloc; for other allocators the\n"
                    "rule is silent.\n",
        .example_c = "    /* before: 25 bytes, takes 40 */      /* after: 24 bytes, takes 24 */\n"
                     "    char name[25];                        char name[24];\n",
        .example_cpp = "    // before: 72 bytes                   // after: 56 bytes\n"
                       "    struct S {                            struct S {\n"
                       "        bool a; double x[3];                  double x[3]; void *p[3];\n"
                       "        bool b; void *p[3];                   bool a, b;\n"
                       "    };                                    };\n",
        .when_not = "Leave it where few such blocks are live at a time, or where the size is a\n"
                    "file format's or a library's.\n",
        .find = find_slack,
    },
    {
        .id = "AL132",
        .name = "over_aligned",
        .brief = "blocks aligned to far more than their own size",
        .category = CATEGORY_FRAGMENTATION,
        .group = GROUP_NONE,
        .kind = SUGGEST_REVIEW,
        .effort = 1,
        .confidence = 0.7,
        .ceiling = SEVERITY_MEDIUM,
        .limits = {{"min_alignment", 32, "bytes; malloc gives 16 unasked"},
                   {"min_count", 100, "blocks asked for with an alignment"},
                   {"min_percent", 5, "share of them in all allocations"}},
        .must_keep = {"alignment that vector instructions, devices or O_DIRECT ask for",
                      "a cache line for each thread's own data"},
        .why_same_output =
            "Only the address of the block differs, and nothing may depend on it but "
            "what needs the alignment; check that nothing does.",
        .sort = "alloc_count",
        .expect = "the place no longer asks for an alignment; the finding is gone",
        .meaning = "Blocks are asked for with an alignment at least twice as large as they are.\n"
                   "Each has to begin at a multiple of it, so memory between them is lost or\n"
                   "left to other sizes, and the allocator has to search and to split.\n",
        .evidence = "Calls of posix_memalign, aligned_alloc and their kin, the largest alignment\n"
                    "they asked for, and the largest size.\n",
        .example_c = "    /* before */                         /* after */\n"
                     "    posix_memalign(&p, 4096, 24);        p = malloc(24);\n",
        .example_cpp = "    // before                            // after\n"
                       "    struct alignas(256) Counter {        struct Counter {\n"
                       "        long n;                              long n;\n"
                       "    };                                   };\n",
        .when_not = "Leave it where threads write to neighbouring blocks, and for buffers of\n"
                    "devices, vector code or direct I/O.\n",
        .find = find_aligned,
    },
};

const struct rule_family alloc_placement_rules = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: MIT */
/* Which transfers jump about in their file? */
#include <errno.h>

#include "findings/io_costs.h"
#include "findings/io_gain.h"
#include "findings/io_traits.h"

/* ---- IO221: small reads here and there ---- */

/* A read that takes longer has waited for a device: then order and read-ahead count, not the call. */
static const double FROM_MEMORY_SECONDS = 10e-6;

/* Neither where the last one ended nor further on: own definition, in which forward steps are no random access. */
static double random_percent(const struct io_site *site)
{
    return finder_percent((double)site->pattern.random, (double)site->pattern.consecutive +
                                                            (double)site->pattern.strided +
                                                            (double)site->pattern.random);
}

static bool is_from_memory(const struct io_site *site)
{
    return 1e-9 * (double)site->latency_ns.p50 <= FROM_MEMORY_SECONDS;
}

/* Calls that a mapping makes unnecessary; where reads wait for a device, half of the time they take. */
static struct io_gain gain_of_mapping(const struct io_site *site)
{
    const double jumps = (double)site->pattern.random + (double)site->pattern.strided;
    const double each = 1e-9 * (double)site->latency_ns.p50 - io_costs_seconds(IO_COST_MAPPED);
    if (!is_from_memory(site))
        return (struct io_gain){.seconds = site->seconds * random_percent(site) / 200};
    return (struct io_gain){.calls = jumps, .seconds = each > 0 ? jumps * each : 0};
}

static const char *advise_on_jumps(struct finder *finder, const struct io_site *site)
{
    if (!is_from_memory(site))
        return finder_text(
            finder,
            "Sort the reads by place where their order is free, or tell the kernel the next ones "
            "ahead (posix_fadvise with POSIX_FADV_WILLNEED): half of them took more than %s, so "
            "they "
            "waited for a device.",
            finder_seconds(finder, FROM_MEMORY_SECONDS));
    return finder_text(finder,
                       "Map the file (mmap) and take the %s pieces from memory: half of the reads "
                       "took %s or less, "
                       "so the data was in memory and the call itself is what costs.%s",
                       finder_bytes(finder, (double)site->sizes.p50),
                       finder_seconds(finder, 1e-9 * (double)site->latency_ns.p50),
                       site->habits && site->habits->after_seek_calls
                           ? " The seeks before them go away as well."
                           : "");
}

static int tell_jumps(struct finder *finder, const struct rule *rule, const struct io_site *site,
                      const struct io_gain *gain)
{
    struct finding *const finding = io_gain_tell(finder, rule, site, gain);
    if (!finding)
        return -ENOMEM;
    finding->title =
        finder_text(finder, "%s reads at random places, half of all here of %s or less",
                    finder_number(finder, (double)site->pattern.random),
                    finder_bytes(finder, (double)site->sizes.p50));
    finding->evidence.value = (double)site->pattern.random;
    finding->suggestion.text = advise_on_jumps(finder, site);
    if (!is_from_memory(site))
        finder_doubt(finding, 0.5, "how much of the device's time can be hidden is not known");
    return 0;
}

static int find_jumps(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (!site->reads || site->writes ||
            (double)site->pattern.random < finder_limit(finder, rule, "min_calls") ||
            random_percent(site) < finder_limit(finder, rule, "min_percent") ||
            (double)site->sizes.p50 > finder_limit(finder, rule, "max_median_bytes"))
            continue;
        const struct io_gain gain = gain_of_mapping(site);
        if (io_gain_matters(finder, rule, &gain))
            error = tell_jumps(finder, rule, site, &gain);
    }
    return error;
}

/* ---- IO220: a seek for each transfer ---- */

static struct io_gain gain_of_no_seek(const struct io_site *site)
{
    const double seeks = (double)site->habits->after_seek_calls;
    return (struct io_gain){.seconds = seeks * io_costs_seconds(IO_COST_SEEK)};
}

static int tell_seeks(struct finder *finder, const struct rule *rule, const struct io_site *site)
{
    const struct io_gain gain = gain_of_no_seek(site);
    const double seeks = (double)site->habits->after_seek_calls;
    struct finding *const finding = io_gain_tell(finder, rule, site, &gain);
    if (!finding)
        return -ENOMEM;
    const char *const number = finder_number(finder, seeks);
    finding->title = finder_text(finder, "%s calls of %s right after an lseek", number, site->op);
    finding->evidence.metric = "seek_count";
    finding->evidence.unit = "seeks";
    finding->evidence.value = seeks;
    finding->suggestion.text = finder_text(
        finder,
        "Give the place with the call: %s in place of lseek and %s. That is %s calls of the kernel "
        "less, and threads can share the descriptor.",
        site->reads ? "pread" : "pwrite", site->op, number);
    return 0;
}

static int find_seeks(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (!site->habits || site->layer != IO_LAYER_SYSCALL || site->reads == site->writes)
            continue;
        const double seeks = (double)site->habits->after_seek_calls;
        const struct io_gain gain = gain_of_no_seek(site);
        if (seeks >= finder_limit(finder, rule, "min_calls") &&
            finder_percent(seeks, (double)site->calls) >=
                finder_limit(finder, rule, "min_percent") &&
            io_gain_matters(finder, rule, &gain))
            error = tell_seeks(finder, rule, site);
    }
    return error;
}

static const struct rule rows[] = {
    {
        .id = "IO221",
        .name = "random_small_reads",
        .brief = "small reads that jump back and forth in a file",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_CALLS,
        .kind = SUGGEST_READAHEAD_OR_MMAP,
        .effort = 2,
        .confidence = 0.7,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_calls", 1000, "reads that went neither on nor forward"},
                   {"min_percent", 20, "share of them in the place's reads"},
                   {"max_median_bytes", 4096, "half of the reads must be no larger"},
                   IO_GAIN_LIMITS},
        .must_keep = {"a file that others shorten meanwhile makes a mapping fault (SIGBUS)",
                      "a read that fails gives an error, a mapping a signal",
                      "address space: a file of many gigabytes needs a window"},
        .why_same_output = "The same bytes of the same file are looked at in the same order. To "
                           "check: nobody writes "
                           "to the file, or it does not matter when that is seen.",
        .sort = "io_read_calls",
        .expect = "io_read_calls of the place near 0; the finding is gone",
        .meaning = "Each piece is fetched with a call of its own, at a place that neither\n"
                   "follows the last one nor lies further on, so that neither a buffer nor the\n"
                   "kernel's read-ahead helps. From a mapping a piece costs a memory access\n"
                   "once its page is there: 30 ns where pread took 400, measured on 64 MiB.\n",
        .evidence = "Reads of the place by where they began: where the last one on the same\n"
                    "descriptor had ended, further on, or elsewhere. The last kind counts here.\n"
                    "Where half of the reads take over 10 us they wait for a device, and the\n"
                    "saving is a guess: half of that time.\n",
        .example_c =
            "    /* before */                          /* after */\n"
            "    pread(fd, &row, sizeof row,           const char *all = mmap(NULL, size,\n"
            "          n * sizeof row);                    PROT_READ, MAP_SHARED, fd, 0);\n"
            "    use(&row);                            memcpy(&row, all + n * sizeof row,\n"
            "                                                 sizeof row);\n"
            "                                          use(&row);\n",
        .example_cpp =
            "    // before                             // after\n"
            "    in.seekg(n * sizeof row);             std::vector<Row> rows = load(path);\n"
            "    in.read((char *)&row, sizeof row);    use(rows[n]);\n"
            "    use(row);                             // where all fits into memory\n",
        .when_not = "Leave it where the file is changed or cut by others while it is read, where\n"
                    "it is far larger than memory and each piece is needed once, or where errors\n"
                    "of the device must be handled call by call.\n",
        .find = find_jumps,
    },
    {
        .id = "IO220",
        .name = "seek_and_transfer",
        .brief = "an lseek for each read or write, where one call does both",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_CALLS,
        .kind = SUGGEST_BATCH_IO,
        .effort = 1,
        .confidence = 0.9,
        .ceiling = SEVERITY_HIGH,
        .limits = {{"min_calls", 1000, "transfers right after an lseek"},
                   {"min_percent", 50, "share of them in the place's transfers"},
                   IO_GAIN_LIMITS},
        .must_keep = {"pread leaves the position alone: whoever reads on from there must be told",
                      "a short count is still possible",
                      "pipes and sockets have no places: pread fails there with ESPIPE"},
        .why_same_output = "The same bytes of the same places are transferred; only the "
                           "descriptor's position differs "
                           "afterwards. To check: nothing relies on it.",
        .sort = "io_calls",
        .expect = "seek_count of the run near 0; the finding is gone",
        .meaning = "Two calls of the kernel for one transfer: lseek sets a position that the\n"
                   "read or write right after it uses, and that nobody needs later. pread and\n"
                   "pwrite take the place as an argument. Between threads this is also safer:\n"
                   "nobody can move the position in between.\n",
        .evidence = "Transfers of the place with an lseek of the same descriptor by the same\n"
                    "thread right before. The saving is 98 ns for each, what lseek takes on a\n"
                    "virtual machine of 2026; the seeks themselves are not timed.\n",
        .example_c =
            "    /* before */                          /* after */\n"
            "    lseek(fd, place, SEEK_SET);           pread(fd, page, sizeof page, place);\n"
            "    read(fd, page, sizeof page);\n",
        .example_cpp =
            "    // before                             // after\n"
            "    lseek(fd, place, SEEK_SET);           pread(fd, page.data(), page.size(),\n"
            "    read(fd, page.data(), page.size());         place);\n",
        .when_not = "Leave it where other code goes on from the position that the seek set, or\n"
                    "where the descriptor may be one without places.\n",
        .find = find_seeks,
    },
};

const struct rule_family io_order_rules = {rows, sizeof rows / sizeof *rows};

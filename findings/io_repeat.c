/* SPDX-License-Identifier: MIT */
/* What is read or asked for again, although the answer is known? */
#include <errno.h>

#include "findings/io_costs.h"
#include "findings/io_gain.h"
#include "findings/io_traits.h"

/* ---- IO230: the same bytes ---- */

/* By the median call: the first pass, whose bytes are not in memory yet, is the one that stays. */
static struct io_gain gain_of_keeping(const struct io_site *site)
{
    const double again = (double)site->habits->reread_bytes / (double)site->bytes;
    const double share = again < 1 ? again : 1;
    const double calls = io_traits_moving(site) * share;
    const double seconds = 1e-9 * calls * (double)site->latency_ns.p50;
    return (struct io_gain){.calls = calls,
                            .seconds = seconds < site->seconds ? seconds : site->seconds};
}

static int tell_reread(struct finder *finder, const struct rule *rule, const struct io_site *site)
{
    const double again = (double)site->habits->reread_bytes, all = (double)site->bytes;
    const struct io_gain gain = gain_of_keeping(site);
    struct finding *const finding = io_gain_tell(finder, rule, site, &gain);
    if (!finding)
        return -ENOMEM;
    finding->title =
        finder_text(finder, "%s of %s read here had been read from the same file before",
                    finder_bytes(finder, again), finder_bytes(finder, all));
    finding->percentage = finder_percent(again, (double)finder->profile->totals.io_read_bytes +
                                                    (double)finder->profile->totals.io_write_bytes);
    finding->whole = OF_IO_BYTES;
    finding->evidence.metric = "io_read_bytes";
    finding->evidence.unit = "bytes";
    finding->evidence.value = again;
    finding->suggestion.text = finder_text(finder,
                                           "Keep what was read, or what was made of it: %s in all "
                                           "are different. Where that is too much to "
                                           "keep, do the passes over the file in one, or map it.",
                                           finder_bytes(finder, all > again ? all - again : 0));
    finding->saves.io_bytes = maybe_known(again < all ? again : all);
    return 0;
}

static int find_rereads(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (!site->habits || !site->reads || site->bytes == 0 ||
            (double)site->habits->reread_bytes < finder_limit(finder, rule, "min_bytes") ||
            finder_percent((double)site->habits->reread_bytes, (double)site->bytes) <
                finder_limit(finder, rule, "min_percent"))
            continue;
        const struct io_gain gain = gain_of_keeping(site);
        if (io_gain_matters(finder, rule, &gain))
            error = tell_reread(finder, rule, site);
    }
    return error;
}

/* ---- IO231, IO232: the same path ---- */

/* Seconds that calls for a path asked for before took; an open brings a close along. */
static double repeated_seconds(const struct path_site *site, double extra)
{
    const double each = site->calls ? site->seconds / (double)site->calls : 0;
    return (double)site->repeated_calls * (each + extra);
}

static struct finding *add_path(struct finder *finder, const struct rule *rule,
                                const struct path_site *site, double seconds)
{
    const struct profile *const profile = finder->profile;
    struct finding *const finding = finder_add(finder, rule);
    if (!finding)
        return NULL;
    finding->path_site = site;
    finding->place = (struct finding_place){site->n_frames, site->frames, site->place};
    finding->percentage = finding->impact =
        finder_percent(seconds, profile->totals.duration_seconds);
    finding->whole = OF_WALL_TIME;
    finding->evidence.metric = io_traits_opens(site) ? "open_count" : "stat_count";
    finding->evidence.unit = "calls";
    finding->evidence.value = (double)site->repeated_calls;
    finding->evidence.count = site->calls;
    if (*site->path) {
        finding->evidence.n_paths = 1;
        finding->evidence.paths[0] = site->path;
    }
    finding->saves.seconds = maybe_known(seconds);
    return finding;
}

/* "120 of 150 calls of openat for a path asked for before" */
static const char *say_repeats(struct finder *finder, const struct path_site *site)
{
    return finder_text(finder, "%s of %s calls of %s named a path that this place had named before",
                       finder_number(finder, (double)site->repeated_calls),
                       finder_number(finder, (double)site->calls), site->op);
}

static bool is_repeated(const struct finder *finder, const struct rule *rule,
                        const struct path_site *site, double extra)
{
    const struct io_gain gain = {.seconds = repeated_seconds(site, extra)};
    return (double)site->repeated_calls >= finder_limit(finder, rule, "min_calls") &&
           finder_percent((double)site->repeated_calls, (double)site->calls) >=
               finder_limit(finder, rule, "min_percent") &&
           io_gain_matters(finder, rule, &gain);
}

static int tell_reopened(struct finder *finder, const struct rule *rule,
                         const struct path_site *site, double seconds)
{
    const bool failed = site->failed > site->calls / 2;
    struct finding *const finding = add_path(finder, rule, site, seconds);
    if (!finding)
        return -ENOMEM;
    finding->title = say_repeats(finder, site);
    finding->suggestion.text = finder_text(
        finder, "%s Different paths: %s; the most frequent one was named %s times.",
        failed ? "Most of these opens failed: remember which paths cannot be opened, for as long "
                 "as that may stay so."
               : "Open each path once and keep the descriptor, or keep what was found in it.",
        finder_number(finder, (double)site->n_paths),
        finder_number(finder, (double)site->path_calls));
    if (failed)
        finder_doubt(finding, 0.7, "a path that could not be opened may come to be there");
    return 0;
}

static int find_reopened(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    const double close = io_costs_seconds(IO_COST_CLOSE);
    int error = 0;
    for (size_t i = 0; i < profile->n_path_sites && error == 0; i++) {
        const struct path_site *const site = &profile->path_sites[i];
        if (io_traits_opens(site) && is_repeated(finder, rule, site, close))
            error = tell_reopened(finder, rule, site, repeated_seconds(site, close));
    }
    return error;
}

static int tell_asked(struct finder *finder, const struct rule *rule, const struct path_site *site)
{
    struct finding *const finding = add_path(finder, rule, site, repeated_seconds(site, 0));
    if (!finding)
        return -ENOMEM;
    finding->title = say_repeats(finder, site);
    finding->suggestion.text =
        finder_text(finder,
                    "Keep the answer, or open the file once and ask its descriptor. Different "
                    "paths: %s; the most frequent one was "
                    "named %s times. Where a change of the file must be noticed, inotify tells it.",
                    finder_number(finder, (double)site->n_paths),
                    finder_number(finder, (double)site->path_calls));
    return 0;
}

static int find_asked(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_path_sites && error == 0; i++) {
        const struct path_site *const site = &profile->path_sites[i];
        if (io_traits_asks(site) && is_repeated(finder, rule, site, 0))
            error = tell_asked(finder, rule, site);
    }
    return error;
}

static const struct rule rows[] = {
    {
        .id = "IO230",
        .name = "reread",
        .brief = "bytes of a file that are read a second time",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_REPEATS,
        .kind = SUGGEST_CACHE_RESULT,
        .effort = 2,
        .confidence = 0.8,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_bytes", 1048576, "read here that had been read before"},
                   {"min_percent", 33.4, "share of them in what the place reads: 1.5 times over"},
                   IO_GAIN_LIMITS},
        .must_keep = {"a change of the file between two reads, if it is to be noticed",
                      "memory: what is kept is at most what the file holds"},
        .why_same_output = "The program works on the same bytes, from memory instead of from the "
                           "file. To check: the "
                           "file does not change between the reads, or the change does not matter.",
        .sort = "io_read_bytes",
        .expect = "io_read_bytes near the size of the files; the finding is gone",
        .meaning = "The place reads parts of a file that had been read before in this run, by\n"
                   "itself or by another place. The page cache makes that cheap, not free: a\n"
                   "call, and a copy of each byte.\n",
        .evidence = "For each file the ranges that reads covered are followed. What a read\n"
                    "covers again counts here. Files with very many separate ranges, and those\n"
                    "whose positions are not known, are left out.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    count = count_lines(path);            struct lines lines = load(path);\n"
                     "    rows = alloc_rows(count);             rows = alloc_rows(lines.n);\n"
                     "    read_lines(path, rows);               take_lines(&lines, rows);\n",
        .example_cpp = "    // before                             // after\n"
                       "    for (auto &q : queries)               const Table table = load(path);\n"
                       "        answer(load(path), q);            for (auto &q : queries)\n"
                       "                                              answer(table, q);\n",
        .when_not = "Leave it where the file is larger than the memory that may be used, or\n"
                    "where others change it meanwhile and that is to be seen.\n",
        .find = find_rereads,
    },
    {
        .id = "IO231",
        .name = "reopened_path",
        .brief = "the same path opened again and again",
        .category = CATEGORY_IO_METADATA,
        .group = GROUP_REPEATS,
        .kind = SUGGEST_KEEP_OPEN,
        .effort = 1,
        .confidence = 0.8,
        .ceiling = SEVERITY_HIGH,
        .limits = {{"min_calls", 100, "opens of a path that the place had opened before"},
                   {"min_percent", 50, "share of them in the place's opens"},
                   IO_GAIN_LIMITS},
        .must_keep = {"a file that is replaced meanwhile (log rotation) must be opened anew",
                      "the position: a fresh descriptor begins at 0",
                      "the limit of open descriptors, and O_CLOEXEC for what is kept"},
        .why_same_output = "The same file is read or written, through a descriptor that stays "
                           "open. To check: nobody "
                           "replaces the file meanwhile, and each use begins where it should.",
        .sort = "open_count",
        .expect = "open_count down by the repeated calls; the finding is gone",
        .meaning = "An open walks the path, checks rights and allocates; with its close it takes\n"
                   "600 ns for a short path, more on network file systems. The same path opened\n"
                   "for each item needs that once.\n",
        .evidence = "Opens from one stack, those that named a path which it had named before,\n"
                    "and the time of those by the mean of all; 300 ns are added for each close,\n"
                    "which is not timed.\n",
        .example_c =
            "    /* before */                          /* after */\n"
            "    void note(const char *line) {         static FILE *log;\n"
            "        FILE *log = fopen(PATH, \"a\");     void note(const char *line) {\n"
            "        fputs(line, log);                     if (!log)\n"
            "        fclose(log);                              log = fopen(PATH, \"ae\");\n"
            "    }                                         fputs(line, log);\n"
            "                                          }\n",
        .example_cpp = "    // before                             // after\n"
                       "    for (auto &item : items) {            std::ofstream out(path, app);\n"
                       "        std::ofstream out(path, app);     for (auto &item : items)\n"
                       "        out << item;                          out << item;\n"
                       "    }\n",
        .when_not = "Leave it where the file is to be looked at anew each time (/proc, a flag\n"
                    "that others set), or where a lock is tied to opening and closing it.\n",
        .find = find_reopened,
    },
    {
        .id = "IO232",
        .name = "stat_again",
        .brief = "the same path asked about again and again",
        .category = CATEGORY_IO_METADATA,
        .group = GROUP_REPEATS,
        .kind = SUGGEST_CACHE_RESULT,
        .effort = 1,
        .confidence = 0.7,
        .ceiling = SEVERITY_HIGH,
        .limits = {{"min_calls", 1000, "stat or access of a path that the place had asked about"},
                   {"min_percent", 50, "share of them in the place's calls"},
                   IO_GAIN_LIMITS},
        .must_keep = {"a change of the file that must be noticed",
                      "a path that did not exist may exist later",
                      "access before open is a race: open and look at the error"},
        .why_same_output = "The same answer is used as long as the file stays as it is. To check: "
                           "the program need "
                           "not notice a change between two of these calls.",
        .sort = "stat_count",
        .expect = "stat_count down by the repeated calls; the finding is gone",
        .meaning = "stat, access and their like walk the path each time, some 360 ns for a short\n"
                   "one. Asked once for each item, about the same path, the answer is known.\n",
        .evidence = "Calls from one stack, those that named a path which it had named before, and\n"
                    "the time of those by the mean of all.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    for (...) {                           struct stat st;\n"
                     "        struct stat st;                   stat(path, &st);\n"
                     "        stat(path, &st);                  for (...)\n"
                     "        use(st.st_mtime);                     use(st.st_mtime);\n"
                     "    }\n",
        .example_cpp = "    // before                             // after\n"
                       "    for (auto &item : items)              const bool has = exists(path);\n"
                       "        if (exists(path))                 for (auto &item : items)\n"
                       "            use(item);                        if (has)\n"
                       "                                                  use(item);\n",
        .when_not = "Leave it where the call waits for a change of the file, and seldom comes.\n",
        .find = find_asked,
    },
};

const struct rule_family io_repeat_rules = {rows, sizeof rows / sizeof *rows};

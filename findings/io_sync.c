/* SPDX-License-Identifier: MIT */
/* Who waits for the device more often than the data asks for? */
#include <errno.h>
#include <string.h>

#include "findings/io_gain.h"
#include "findings/io_traits.h"

/* Records that one sync could stand for: few enough that little is lost, enough to make the waiting small. */
enum { BATCH = 10 };

static double share_of_io_time(const struct finder *finder, double seconds)
{
    return finder_percent(seconds, finder->profile->totals.io_seconds);
}

/* Syncs are no reads or writes: what goes away is time. */
static struct finding *tell(struct finder *finder, const struct rule *rule,
                            const struct io_site *site, double seconds)
{
    const struct io_gain gain = {.seconds = seconds * (BATCH - 1) / BATCH};
    struct finding *const finding = io_gain_tell(finder, rule, site, &gain);
    if (!finding)
        return NULL;
    finding->percentage = share_of_io_time(finder, seconds);
    finding->whole = OF_IO_TIME;
    finding->evidence.metric = "fsync_count";
    finding->evidence.unit = "syncs";
    return finding;
}

/* ---- IO210: a sync after each write ---- */

static bool is_sync_per_record(const struct finder *finder, const struct rule *rule,
                               const struct io_site *site)
{
    const struct io_habits *const habits = site->habits;
    return habits && site->writes &&
           (double)habits->synced_calls >= finder_limit(finder, rule, "min_syncs") &&
           finder_percent((double)habits->synced_calls, (double)site->calls) >=
               finder_limit(finder, rule, "min_percent") &&
           share_of_io_time(finder, habits->synced_seconds) >=
               finder_limit(finder, rule, "min_time_percent");
}

static int tell_record(struct finder *finder, const struct rule *rule, const struct io_site *site)
{
    const double syncs = (double)site->habits->synced_calls;
    const double seconds = site->habits->synced_seconds;
    struct finding *const finding = tell(finder, rule, site, seconds);
    if (!finding)
        return -ENOMEM;
    const char *const time = finder_seconds(finder, seconds);
    finding->title = finder_text(finder, "%s writes that a sync followed at once, which took %s",
                                 finder_number(finder, syncs), time);
    finding->evidence.value = syncs;
    finding->evidence.count = site->habits->synced_calls;
    finding->suggestion.text = finder_text(finder,
                                           "Write several records and sync once for all of them, "
                                           "where they may become permanent together: with %d "
                                           "records for a sync, about a tenth of the %s is left. "
                                           "Where no record must survive a power cut by "
                                           "itself, sync once at the end.",
                                           BATCH, time);
    return 0;
}

static int find_records(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++)
        if (is_sync_per_record(finder, rule, &profile->io_places[i]))
            error = tell_record(finder, rule, &profile->io_places[i]);
    return error;
}

/* ---- IO211: syncs without that ---- */

static bool is_sync(const struct io_site *site)
{
    return !site->reads && !site->writes &&
           (strstr(site->op, "sync") != NULL || strcmp(site->op, "aio_fsync") == 0);
}

/* Whether most syncs of the place are those that writes are blamed for already. */
static bool is_told_by_writes(const struct finder *finder, const struct io_site *sync)
{
    const struct rule *const per_record = rules_find("IO210");
    const struct profile *const profile = finder->profile;
    double told = 0;
    if (!per_record || !config_is_enabled(finder->config, per_record))
        return false;
    for (size_t i = 0; i < profile->n_io_places; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (is_sync_per_record(finder, per_record, site) &&
            (!*site->path || !*sync->path || strcmp(site->path, sync->path) == 0))
            told += (double)site->habits->synced_calls;
    }
    return told >= (double)sync->calls / 2;
}

static int tell_storm(struct finder *finder, const struct rule *rule, const struct io_site *site)
{
    struct finding *const finding = tell(finder, rule, site, site->seconds);
    if (!finding)
        return -ENOMEM;
    finding->title = finder_text(finder, "%s calls of %s, which took %s",
                                 finder_number(finder, (double)site->calls), site->op,
                                 finder_seconds(finder, site->seconds));
    finding->suggestion.text =
        finder_text(finder,
                    "Call %s only when data must be permanent before the program goes on, once for "
                    "all that was written until "
                    "then. For one of %d of these calls, about a tenth of the time is left.",
                    site->op, BATCH);
    return 0;
}

static int find_storms(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (is_sync(site) && (double)site->calls >= finder_limit(finder, rule, "min_syncs") &&
            share_of_io_time(finder, site->seconds) >= finder_limit(finder, rule, "min_percent") &&
            !is_told_by_writes(finder, site))
            error = tell_storm(finder, rule, site);
    }
    return error;
}

static const struct rule rows[] = {
    {
        .id = "IO210",
        .name = "sync_per_record",
        .brief = "a sync after each write",
        .category = CATEGORY_IO_DURABILITY,
        .group = GROUP_NONE,
        .kind = SUGGEST_BATCH_IO,
        .effort = 2,
        .confidence = 0.7,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_syncs", 50, "writes that a sync followed at once"},
                   {"min_percent", 50, "share of them in the place's writes"},
                   {"min_time_percent", 10, "share of those syncs in the time of all I/O"}},
        .must_keep =
            {"what was promised to be permanent: nobody is told \"stored\" before the sync",
             "the order of journal and data",
             "an error of the sync: the data may be lost, trying again does not bring it back"},
        .why_same_output =
            "Syncs change when data is safe from a power cut, not what a file holds: whoever reads "
            "it "
            "sees the same bytes. To check: what may be lost is no more than was agreed.",
        .sort = "fsync_count",
        .expect = "fsync_count down to a tenth; io_seconds falls by as much",
        .meaning = "After each record the program waits until the device has it: 100 us on a\n"
                   "fast one, 10 ms on a disk, hundreds of times what the write takes. Where\n"
                   "several records may become permanent together, one wait does for all.\n",
        .evidence = "Writes of the place with a sync of the same descriptor before the next\n"
                    "write to it, the time of those syncs, and its share of the time of all\n"
                    "I/O. The saving is nine tenths of that time: ten records for a sync.\n",
        .example_c =
            "    /* before */                          /* after */\n"
            "    for (i = 0; i < n; i++) {             for (i = 0; i < n; i++) {\n"
            "        write(fd, &r[i], sizeof *r);          write(fd, &r[i], sizeof *r);\n"
            "        fdatasync(fd);                        if (i % 10 == 9 || i == n - 1)\n"
            "        acknowledge(i);                           fdatasync(fd),\n"
            "    }                                             acknowledge_up_to(i);\n"
            "                                          }\n",
        .example_cpp = "    // before: SQLite                     // after\n"
                       "    for (const auto &row : rows)          exec(db, \"BEGIN\");\n"
                       "        insert(db, row);                  for (const auto &row : rows)\n"
                       "                                              insert(db, row);\n"
                       "                                          exec(db, \"COMMIT\");\n",
        .when_not = "Leave it where each record is acknowledged to somebody who relies on it:\n"
                    "money, a message taken over. There, collect the records of several clients\n"
                    "for one sync (group commit), or leave it at that.\n",
        .find = find_records,
    },
    {
        .id = "IO211",
        .name = "sync_storm",
        .brief = "many syncs in one run",
        .category = CATEGORY_IO_DURABILITY,
        .group = GROUP_NONE,
        .kind = SUGGEST_DROP_SYNC,
        .effort = 2,
        .confidence = 0.6,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_syncs", 50, "syncs from the place"},
                   {"min_percent", 10, "share of them in the time of all I/O"}},
        .must_keep = {"what was promised to be permanent",
                      "the sync before a rename that puts a new file in place of an old one",
                      "an error of the sync is noticed"},
        .why_same_output = "Syncs change when data is safe from a power cut, not what a file "
                           "holds. To check: what may "
                           "be lost is no more than was agreed.",
        .sort = "fsync_count",
        .expect = "fsync_count down to a tenth; io_seconds falls by as much",
        .meaning = "The place waits for the device again and again. Unlike sync_per_record, most\n"
                   "writes are not followed by a sync at once: several parts of a program may\n"
                   "each make the same data permanent, or one does so after every small step.\n",
        .evidence = "Syncs from the place and their share of the time of all reads, writes and\n"
                    "syncs. Places whose syncs follow single writes are told as IO210. The saving\n"
                    "is nine tenths of the time.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    for each file:                        for each file:\n"
                     "        write(fd, ...);                       write(fd, ...);\n"
                     "        fsync(fd);                        for each file:\n"
                     "                                              fsync(fd);\n"
                     "                                          /* or syncfs(fd), once */\n",
        .example_cpp =
            "    // before                             // after\n"
            "    void Log::add(const Entry &e) {       void Log::add(const Entry &e) {\n"
            "        write(e);                             write(e);\n"
            "        ::fsync(fd_);                     }\n"
            "    }                                     void Log::commit() { ::fsync(fd_); }\n",
        .when_not = "Leave it where each sync ends a transaction that somebody was told is\n"
                    "stored.\n",
        .find = find_storms,
    },
};

const struct rule_family io_sync_rules = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: MIT */
/* Which calls hold up a thread that the user said must not wait? */
#include <errno.h>
#include <string.h>

#include "findings/io_gain.h"
#include "findings/io_traits.h"

/* Whether it is the first thread of a process, which "main" stands for. */
static bool is_first(const struct profile *profile, const struct io_thread *thread)
{
    for (uint32_t i = 0; i < profile->n_processes; i++)
        if (profile->processes[i].id == thread->process_id)
            return profile->processes[i].pid == thread->tid;
    return false;
}

/* A name alone tells threads apart here: of several processes' threads one that is a first one is enough. */
static bool is_latency_thread(const struct finder *finder, const char *name)
{
    const struct profile *const profile = finder->profile;
    if (config_is_latency_thread(finder->config, name))
        return true;
    if (!config_is_latency_thread(finder->config, "main"))
        return false;
    for (size_t i = 0; i < profile->n_io_threads; i++)
        if (strcmp(profile->io_threads[i].name, name) == 0 &&
            is_first(profile, &profile->io_threads[i]))
            return true;
    return false;
}

static int tell_blocked(struct finder *finder, const struct rule *rule, const struct io_site *site)
{
    const struct io_habits *const habits = site->habits;
    const struct io_gain gain = {.seconds = site->seconds};
    struct finding *const finding = io_gain_tell(finder, rule, site, &gain);
    if (!finding)
        return -ENOMEM;
    const char *const longest = finder_seconds(finder, habits->longest_seconds);
    finding->title = finder_text(finder, "thread \"%s\" waited up to %s in %s", habits->thread,
                                 longest, site->op);
    finding->percentage = finding->impact =
        finder_percent(site->seconds, finder->profile->totals.duration_seconds);
    finding->whole = OF_WALL_TIME;
    finding->floor = SEVERITY_MEDIUM;
    finding->evidence.metric = "io_seconds";
    finding->evidence.unit = "seconds";
    finding->evidence.value = site->seconds;
    finding->suggestion.text =
        finder_text(finder,
                    "Hand these calls to another thread, through a queue that the thread \"%s\" "
                    "only fills, or make them on a "
                    "descriptor that does not block. Calls: %s, %s together, the longest %s.",
                    habits->thread, finder_number(finder, (double)site->calls),
                    finder_seconds(finder, site->seconds), longest);
    finding->saves.seconds.known = false; /* the time is spent elsewhere, not saved */
    return 0;
}

static int find_blocked(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    if (finder->config->n_latency_threads == 0)
        return 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (site->habits && *site->habits->thread &&
            1000 * site->habits->longest_seconds >= finder_limit(finder, rule, "min_longest_ms") &&
            finder_percent(site->seconds, profile->totals.duration_seconds) >=
                finder_limit(finder, rule, "min_percent") &&
            is_latency_thread(finder, site->habits->thread))
            error = tell_blocked(finder, rule, site);
    }
    return error;
}

static const struct rule rows[] = {
    {
        .id = "IO243",
        .name = "latency_thread_blocked",
        .brief = "a thread that must not wait waits in a read, write or sync",
        .category = CATEGORY_IO_WAIT,
        .group = GROUP_NONE,
        .kind = SUGGEST_REVIEW,
        .effort = 3,
        .confidence = 0.9,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_longest_ms", 1, "milliseconds that the longest call took"},
                   {"min_percent", 0.1, "share of the calls' time in the run"}},
        .must_keep = {"the order of what is written",
                      "an end for the queue: what happens when it is full",
                      "at the end of the program, what is queued is still done"},
        .why_same_output = "The same calls are made in the same order by another thread. To check: "
                           "the thread that asks "
                           "does not need the result at once.",
        .sort = "io_seconds",
        .expect = "io_seconds of the thread near 0; the finding is gone",
        .meaning = "The configuration names threads that must not wait (\"latency_threads\"): one\n"
                   "that draws, plays sound, runs an event loop. This place made such a thread\n"
                   "wait for a device or a peer.\n",
        .evidence = "Places that one such thread alone called from: the longest call, and the\n"
                    "time of all. Places that several threads share are left out. The rule is\n"
                    "silent unless a configuration names a thread; \"main\" is also the first\n"
                    "thread of each process, whatever its name.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    on_event(event);                      on_event(event);\n"
                     "    write(log, line, n);                  queue_put(&lines, line, n);\n"
                     "    fsync(log);                           /* another thread writes them */\n",
        .example_cpp = "    // before                             // after\n"
                       "    void Window::save() {                 void Window::save() {\n"
                       "        file_.write(text_);                   worker_.post([t = text_] {\n"
                       "        file_.sync();                             write_and_sync(t); });\n"
                       "    }                                     }\n",
        .when_not = "Leave it where the thread has nothing to do until the call is done: at the\n"
                    "start, at the end, or when it waits for its next task in that very call.\n",
        .find = find_blocked,
    },
};

const struct rule_family io_thread_rules = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: MIT */
/* Who waits for an answer to each question, asks when there is nothing, or never lets go of a descriptor? */
#include <errno.h>

#include "findings/io_costs.h"
#include "findings/io_gain.h"
#include "findings/io_traits.h"

/* ---- IO240: one round trip for each item ---- */

enum { BATCH = 10 }; /* questions in one message: few enough for any protocol that takes several */

/* Of questions sent ten at a time nine round trips go away: a write, a read, and the time waited in it. */
static struct io_gain gain_of_batches(const struct io_site *site)
{
    const double share = (double)(BATCH - 1) / BATCH;
    return (struct io_gain){.calls = share * 2 * (double)site->habits->reply.count,
                            .seconds = share * site->habits->reply_seconds};
}

static int tell_requests(struct finder *finder, const struct rule *rule, const struct io_site *site)
{
    const struct io_gain gain = gain_of_batches(site);
    const double replies = (double)site->habits->reply.count;
    struct finding *const finding = io_gain_tell(finder, rule, site, &gain);
    if (!finding)
        return -ENOMEM;
    finding->percentage = io_gain_share(finder, 2 * replies);
    finding->title =
        finder_text(finder, "%s reads, each right after a write to the same %s, which took %s",
                    finder_number(finder, replies),
                    io_traits_target(site) == IO_TARGET_PIPE ? "pipe" : "socket",
                    finder_seconds(finder, site->habits->reply_seconds));
    finding->evidence.value = replies;
    finding->evidence.count = site->habits->reply.count;
    finding->suggestion.text = finder_text(
        finder,
        "Send several questions before the first answer is read, or one for many items: these are "
        "%s in %s messages "
        "and as many answers of %s. With %d at a time a tenth of the round trips is left.",
        finder_bytes(finder, (double)site->habits->request_bytes), finder_number(finder, replies),
        finder_bytes(finder, (double)site->habits->reply_bytes), BATCH);
    return 0;
}

static int find_requests(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        const enum io_target target = io_traits_target(site);
        if (!io_traits_is_reply(site) || !site->reads || target == IO_TARGET_FILE ||
            target == IO_TARGET_TERMINAL)
            continue;
        const double replies = (double)site->habits->reply.count;
        const struct io_gain gain = gain_of_batches(site);
        if (replies >= finder_limit(finder, rule, "min_calls") &&
            io_gain_share(finder, 2 * replies) >= finder_limit(finder, rule, "min_percent") &&
            io_gain_matters(finder, rule, &gain))
            error = tell_requests(finder, rule, site);
    }
    return error;
}

/* ---- IO241: asked when there is nothing ---- */

static double dry_calls(const struct io_site *site)
{
    return (double)site->would_block + (double)site->empty;
}

static struct io_gain gain_of_waiting(const struct io_site *site)
{
    const double calls = dry_calls(site);
    return (struct io_gain){.calls = calls, .seconds = 1e-9 * calls * (double)site->latency_ns.p50};
}

static int tell_dry(struct finder *finder, const struct rule *rule, const struct io_site *site)
{
    const struct io_gain gain = gain_of_waiting(site);
    struct finding *const finding = io_gain_tell(finder, rule, site, &gain);
    if (!finding)
        return -ENOMEM;
    finding->title =
        finder_text(finder, "%s of %s calls of %s moved nothing, up to %s in a row",
                    finder_number(finder, gain.calls), finder_number(finder, (double)site->calls),
                    site->op, finder_number(finder, (double)site->habits->longest_dry_run));
    finding->evidence.value = gain.calls;
    finding->evidence.count = site->would_block + site->empty;
    finding->suggestion.text = site->would_block >= site->empty
                                   ? "Wait until the descriptor is ready (poll, epoll) before the "
                                     "next try, or let the call block: without "
                                     "that the processor turns round between two tries."
                                   : "A call that moves nothing is the end, or an end for now: "
                                     "stop there, or wait for a change (poll on "
                                     "sockets and pipes, inotify on files) before the next try.";
    return 0;
}

static int find_dry(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        const struct io_gain gain = gain_of_waiting(site);
        if (site->habits && (site->reads || site->writes) &&
            gain.calls >= finder_limit(finder, rule, "min_calls") &&
            finder_percent(gain.calls, (double)site->calls) >=
                finder_limit(finder, rule, "min_percent") &&
            (double)site->habits->longest_dry_run >= finder_limit(finder, rule, "min_run") &&
            io_gain_matters(finder, rule, &gain))
            error = tell_dry(finder, rule, site);
    }
    return error;
}

/* ---- IO242: never closed ---- */

enum {
    USUAL_LIMIT = 1024
}; /* descriptors that a process may have by default (RLIMIT_NOFILE, soft) */

/* Of several processes together; no single one had more open at once than max_open says. */
static double left_open(const struct io_opener *opener)
{
    return (double)(opener->open_at_end < opener->max_open ? opener->open_at_end
                                                           : opener->max_open);
}

static int tell_leak(struct finder *finder, const struct rule *rule, const struct io_opener *opener)
{
    const double left = left_open(opener);
    struct finding *const finding = finder_add(finder, rule);
    if (!finding)
        return -ENOMEM;
    finding->io_opener = opener;
    finding->place = (struct finding_place){opener->n_frames, opener->frames, opener->place};
    finding->impact = finder_percent(left, USUAL_LIMIT);
    finding->whole = OF_WALL_TIME; /* none of it: descriptors cost no time until they run out */
    finding->floor = left >= USUAL_LIMIT / 8.0 ? SEVERITY_MEDIUM : SEVERITY_LOW;
    finding->evidence.metric = "open_count";
    finding->evidence.unit = "descriptors";
    finding->evidence.value = (double)opener->open_at_end;
    finding->evidence.count = opener->opens;
    if (*opener->path) {
        finding->evidence.n_paths = 1;
        finding->evidence.paths[0] = opener->path;
    }
    finding->title = finder_text(finder, "%s of %s descriptors from %s were open at the end",
                                 finder_number(finder, (double)opener->open_at_end),
                                 finder_number(finder, (double)opener->opens), opener->op);
    finding->suggestion.text =
        finder_text(finder,
                    "Close each descriptor when its work is done, also on the way out after an "
                    "error. Up to %s of this place were "
                    "open at once; a process may have %s by default, then %s fails with EMFILE.",
                    finder_number(finder, (double)opener->max_open),
                    finder_number(finder, USUAL_LIMIT), opener->op);
    return 0;
}

static int find_leaks(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_openers && error == 0; i++) {
        const struct io_opener *const opener = &profile->io_openers[i];
        if (left_open(opener) >= finder_limit(finder, rule, "min_open") &&
            finder_percent((double)opener->open_at_end, (double)opener->opens) >=
                finder_limit(finder, rule, "min_percent"))
            error = tell_leak(finder, rule, opener);
    }
    return error;
}

static const struct rule rows[] = {
    {
        .id = "IO240",
        .name = "request_per_item",
        .brief = "a question and its answer, over and over on one connection",
        .category = CATEGORY_IO_WAIT,
        .group = GROUP_CALLS,
        .kind = SUGGEST_BATCH_IO,
        .effort = 3,
        .confidence = 0.7,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_calls", 100, "reads that wait for an answer to a write just before"},
                   {"min_percent", 5, "share of these reads and writes in all calls of I/O"},
                   IO_GAIN_LIMITS},
        .must_keep = {"each answer goes to the question it belongs to",
                      "an error of one question does not spoil the others",
                      "a question that depends on the last answer cannot be sent before it"},
        .why_same_output = "The same questions are asked in the same order and get the same "
                           "answers; only how many are "
                           "under way at once differs. To check: no question depends on an answer "
                           "in the same batch.",
        .sort = "io_seconds",
        .expect = "io_calls of the two places down to a tenth; io_seconds falls with them",
        .meaning = "For each item one message goes out and its answer is waited for: N items\n"
                   "take N round trips, tens of microseconds on one machine, a millisecond and\n"
                   "more between two. Questions sent together share one.\n",
        .evidence = "Reads of a socket or pipe by the thread that wrote to it just before, and\n"
                    "the time of those reads; connections on which the program read first are\n"
                    "left out, as there it answers. What is waited in poll or epoll is not in\n"
                    "it. The saving is nine tenths: ten questions at a time.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    for (i = 0; i < n; i++) {             for (i = 0; i < n; i++)\n"
                     "        ask(fd, key[i]);                      ask(fd, key[i]);\n"
                     "        take(fd, &value[i]);              for (i = 0; i < n; i++)\n"
                     "    }                                         take(fd, &value[i]);\n",
        .example_cpp =
            "    // before: SQL                        // after\n"
            "    for (auto id : ids)                   rows = db.query(\"select .. where id\"\n"
            "        rows += db.query(\"select ..\"                     \" in (..)\", ids);\n"
            "                         \"where id=?\", id);\n",
        .when_not = "Leave it where the next question is made of the last answer, where this is\n"
                    "the side that answers, or where the peer takes one at a time.\n",
        .find = find_requests,
    },
    {
        .id = "IO241",
        .name = "dry_calls",
        .brief = "reads or writes tried again and again while nothing moves",
        .category = CATEGORY_IO_WAIT,
        .group = GROUP_NONE,
        .kind = SUGGEST_REVIEW,
        .effort = 2,
        .confidence = 0.8,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_calls", 1000, "calls that gave EAGAIN or no byte"},
                   {"min_percent", 50, "share of them in the place's calls"},
                   {"min_run", 10, "of them in a row on one descriptor"},
                   IO_GAIN_LIMITS},
        .must_keep = {"data that comes is taken as soon as before",
                      "other work of the same loop goes on while this one waits",
                      "the end of a file and \"nothing yet\" are told apart"},
        .why_same_output = "The calls that go away moved nothing. To check: nothing else happens "
                           "between two of the "
                           "tries that the program relies on.",
        .sort = "io_calls",
        .expect = "io_calls of the place near those that move something; less processor time",
        .meaning = "A descriptor that does not block says EAGAIN when there is nothing; a file at\n"
                   "its end gives 0 bytes. Asking again at once keeps a processor busy with\n"
                   "questions. poll and epoll sleep until the answer would be another one.\n",
        .evidence = "Calls of the place that gave EAGAIN or 0 bytes, and the most in a row on\n"
                    "one descriptor. One such call after each piece, as in a loop around epoll,\n"
                    "is in order and is a row of one. The saving is these calls by the\n"
                    "median time of a call.\n",
        .example_c =
            "    /* before */                          /* after */\n"
            "    while (read(fd, room, n) < 0)         struct pollfd wait = {fd, POLLIN};\n"
            "        continue;                         poll(&wait, 1, -1);\n"
            "                                          read(fd, room, n);\n",
        .example_cpp = "    // before                             // after\n"
                       "    while (!socket.try_read(buffer))      io.wait(socket, readable);\n"
                       "        ;                                 socket.try_read(buffer);\n",
        .when_not = "Leave it where the program spins on purpose for a few microseconds less\n"
                    "delay, on a processor of its own.\n",
        .find = find_dry,
    },
    {
        .id = "IO242",
        .name = "descriptor_leak",
        .brief = "descriptors that are opened and not closed",
        .category = CATEGORY_RESOURCE_LEAK,
        .group = GROUP_NONE,
        .kind = SUGGEST_FREE_IT,
        .effort = 1,
        .confidence = 0.8,
        .ceiling = SEVERITY_HIGH,
        .limits = {{"min_open", 50, "descriptors of one place open at the end"},
                   {"min_percent", 50, "share of them in those that the place opened"}},
        .must_keep = {"a descriptor that somebody still uses stays open",
                      "a copy of it (dup, a stream) is closed once, not twice",
                      "locks that closing gives up (fcntl)"},
        .why_same_output = "Closing a descriptor that nobody uses changes no file. To check: what "
                           "was written through it "
                           "is complete, and nobody waits for it to stay open.",
        .sort = "open_count",
        .expect = "open_at_end of the place near 0; the finding is gone",
        .meaning = "The place opens descriptors that are still open when the process ends. A\n"
                   "program that runs on meets its limit, often 1,024: then open, accept and\n"
                   "socket fail with EMFILE, mostly in code that is innocent.\n",
        .evidence = "Descriptors by the place that opened them: opened, open at the end, and the\n"
                    "most at once. The percentage is 0, as they cost no time; impact is their\n"
                    "share of 1,024.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    int fd = open(path, O_RDONLY);        int fd = open(path, O_RDONLY);\n"
                     "    if (read(fd, head, n) != n)           const bool whole =\n"
                     "        return -1;                            read(fd, head, n) == n;\n"
                     "    close(fd);                            close(fd);\n"
                     "                                          if (!whole)\n"
                     "                                              return -1;\n",
        .example_cpp = "    // before                             // after\n"
                       "    int fd = ::open(path, O_RDONLY);      std::ifstream in(path);\n"
                       "    if (!good(fd))                        if (!good(in))\n"
                       "        throw error();                        throw error();\n",
        .when_not = "Leave it where all of them are in use until the end: connections of a\n"
                    "server that was stopped, files of a pool.\n",
        .find = find_leaks,
    },
};

const struct rule_family io_wait_rules = {rows, sizeof rows / sizeof *rows};

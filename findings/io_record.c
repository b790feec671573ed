/* SPDX-License-Identifier: MIT */
/* Which writes of different places make up one record, and could be one call? */
#include <errno.h>

#include "findings/io_costs.h"
#include "findings/io_gain.h"
#include "findings/io_traits.h"
#include "report/names.h"

/* A vector of two costs some 40 ns more than one buffer; that is not worth a figure. */
static struct io_gain gain_of_joining(const struct io_site *site)
{
    const double joined = (double)site->habits->adjacent.count;
    return (struct io_gain){.calls = joined, .seconds = joined * io_costs_fixed_seconds(site)};
}

/* "header() out.c:12": the line whose write comes before. */
static const char *say_place(struct finder *finder, const struct io_site *site)
{
    const struct profile *const profile = finder->profile;
    if (site->place >= site->n_frames)
        return "a place without a known stack";
    const struct profile_frame *const frame = &profile->frames[site->frames[site->place]];
    if (frame->line)
        return finder_text(finder, "%s:%u", names_base(frame->file), frame->line);
    return finder_text(finder, "%s",
                       *frame->function ? frame->function : names_base(frame->module));
}

static int tell_record(struct finder *finder, const struct rule *rule, const struct io_site *site,
                       const struct io_site *before)
{
    const struct io_gain gain = gain_of_joining(site);
    const char *const other = say_place(finder, before);
    struct finding *const finding = io_gain_tell(finder, rule, site, &gain);
    if (!finding)
        return -ENOMEM;
    finding->evidence.value = gain.calls;
    finding->title =
        finder_text(finder, "%s writes to %s right behind another one by the same thread",
                    finder_number(finder, gain.calls), io_traits_target_name(site));
    finding->suggestion.text = finder_text(
        finder,
        "Write both with one writev: most of these calls follow the one at %s. Where nobody waits "
        "for each "
        "record, a buffer that is written when it is full takes away nearly all calls of both.",
        other);
    return 0;
}

static int find_records(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (!site->habits || site->layer != IO_LAYER_SYSCALL || !site->writes || site->reads ||
            site->sizes.n == 0 || io_traits_target(site) == IO_TARGET_TERMINAL ||
            (double)site->habits->adjacent.count < finder_limit(finder, rule, "min_calls") ||
            (double)site->sizes.p50 >= finder_limit(finder, rule, "max_median_bytes"))
            continue;
        const struct io_site *const before = io_traits_predecessor(profile, site);
        const struct io_gain gain = gain_of_joining(site);
        if (before && before->layer == IO_LAYER_SYSCALL && io_gain_matters(finder, rule, &gain) &&
            !io_traits_begins_record(profile, site))
            error = tell_record(finder, rule, site, before);
    }
    return error;
}

static const struct rule rows[] = {
    {
        .id = "IO204",
        .name = "adjacent_writes",
        .brief = "two writes in a row from two places, as of a header and its body",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_CALLS,
        .kind = SUGGEST_VECTORED_IO,
        .effort = 1,
        .confidence = 0.8,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_calls", 1000, "writes that follow another one at once"},
                   {"max_median_bytes", 4096, "half of the writes must be smaller than this"},
                   IO_GAIN_LIMITS},
        .must_keep =
            {"a short count of writev: go on where it stopped, in whichever part",
             "the parts stay where they are until the call has returned",
             "what comes between the two writes must not depend on the first one's effect"},
        .why_same_output = "writev writes the parts one behind the other, as the two calls did. To "
                           "check: nothing else "
                           "writes to the descriptor in between.",
        .sort = "io_write_calls",
        .expect = "io_write_calls of the two places together down to half; the finding is gone",
        .meaning = "A record is written in parts, each by a call of its own. writev hands\n"
                   "several parts of memory over in one. On a TCP socket the parts also go out\n"
                   "in one packet instead of waiting for each other.\n",
        .evidence = "Writes from the place that followed a write of the same thread to the same\n"
                    "descriptor with nothing in between, right behind its end; most of them\n"
                    "follow one other place. The saving is one call for each.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    write(fd, &head, sizeof head);        struct iovec parts[] = {\n"
                     "    write(fd, body, head.n);                  {&head, sizeof head},\n"
                     "                                              {body, head.n}};\n"
                     "                                          writev(fd, parts, 2);\n",
        .example_cpp =
            "    // before                             // after\n"
            "    send(fd, head.data(), head.size());   iovec parts[] = {\n"
            "    send(fd, body.data(), body.size());       {head.data(), head.size()},\n"
            "                                              {body.data(), body.size()}};\n"
            "                                          writev(fd, parts, 2);\n",
        .when_not = "Leave it where the first part must be out while the second is still being\n"
                    "made, or where a buffer is possible, which saves more.\n",
        .find = find_records,
    },
};

const struct rule_family io_record_rules = {rows, sizeof rows / sizeof *rows};

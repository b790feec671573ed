/* SPDX-License-Identifier: MIT */
/* Which reads and writes move so little that the call costs more than its bytes? */
#include <errno.h>

#include "findings/io_gain.h"
#include "findings/io_traits.h"

/* What a tiny call must not be: a message of its own, at a place of its own, or one that others join. */
static bool may_be_buffered(const struct profile *profile, const struct io_site *site)
{
    if (site->layer != IO_LAYER_SYSCALL || !io_traits_is_stream(site) ||
        io_traits_target(site) == IO_TARGET_TERMINAL)
        return false;
    if (site->writes)
        return io_traits_can_wait(site) && !io_traits_begins_record(profile, site);
    return !io_traits_is_reply(site);
}

static const char *advise(struct finder *finder, const struct io_site *site,
                          const struct io_gain *gain)
{
    const char *const what = site->reads ? "Read 64 KiB at a time into a buffer that belongs to "
                                           "the descriptor and take the pieces from "
                                           "there, as fread does"
                                         : "Collect the pieces in a buffer of 64 KiB and write it "
                                           "when it is full and at the end, as fwrite "
                                           "does (in C++: no std::endl)";
    return finder_text(finder, "%s: %s calls become about %s.", what,
                       finder_number(finder, (double)site->calls),
                       finder_number(finder, (double)site->calls - gain->calls));
}

static int tell_tiny(struct finder *finder, const struct rule *rule, const struct io_site *site,
                     const struct io_gain *gain)
{
    struct finding *const finding = io_gain_tell(finder, rule, site, gain);
    if (!finding)
        return -ENOMEM;
    finding->title =
        finder_text(finder, "%s calls of %s on %s, half of them of %s or less",
                    finder_number(finder, (double)site->calls), site->op,
                    io_traits_target_name(site), finder_bytes(finder, (double)site->sizes.p50));
    finding->suggestion.text = advise(finder, site, gain);
    io_gain_set_buffer(finding, IO_GAIN_BUFFER_BYTES, gain);
    const enum io_target target = io_traits_target(site);
    if (target == IO_TARGET_PIPE || target == IO_TARGET_SOCKET)
        finder_doubt(finding, 0.6, "the other end may need each piece at once");
    else if (target == IO_TARGET_UNKNOWN)
        finder_doubt(finding, 0.8, "several files: how many calls each of them got is not known");
    return 0;
}

static int find_tiny(struct finder *finder, const struct rule *rule, bool reads)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (site->reads != reads || site->writes == reads || site->sizes.n == 0 ||
            (double)site->calls < finder_limit(finder, rule, "min_calls") ||
            (double)site->sizes.p50 >= finder_limit(finder, rule, "max_median_bytes") ||
            !may_be_buffered(profile, site))
            continue;
        const struct io_gain gain = io_gain_of_buffer(finder, site, IO_GAIN_BUFFER_BYTES);
        if (io_gain_matters(finder, rule, &gain))
            error = tell_tiny(finder, rule, site, &gain);
    }
    return error;
}

static int find_tiny_writes(struct finder *finder, const struct rule *rule)
{
    return find_tiny(finder, rule, false);
}

static int find_tiny_reads(struct finder *finder, const struct rule *rule)
{
    return find_tiny(finder, rule, true);
}

static const struct rule rows[] = {
    {
        .id = "IO201",
        .name = "tiny_write",
        .brief = "many small writes, one behind the other",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_CALLS,
        .kind = SUGGEST_BUFFER_IO,
        .effort = 1,
        .confidence = 0.85,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_calls", 1000, "writes from the place"},
                   {"max_median_bytes", 4096, "half of the writes must be smaller than this"},
                   IO_GAIN_LIMITS},
        .must_keep = {"what is in the buffer is written before close, fork, exec and _exit",
                      "an error of a write is noticed, also when it comes later",
                      "pieces that must arrive whole (O_APPEND shared by processes) stay whole"},
        .why_same_output = "The same bytes reach the same descriptor in the same order, in larger "
                           "pieces. To check: "
                           "nothing else writes to it while the buffer holds something.",
        .sort = "io_write_calls",
        .expect = "io_write_calls of the place one per 64 KiB; the finding is gone",
        .meaning = "Each write is a call of the kernel, some 350 ns before the first byte is\n"
                   "copied; a copy of 100 bytes into a buffer takes 20. Nothing is said where\n"
                   "that is less than 1 % of the run and less than a millisecond.\n",
        .evidence = "Writes from the place, their sizes, and that most of them went right behind\n"
                    "the last one or to a pipe or socket. The saving is the writes less those\n"
                    "that a buffer of 64 KiB leaves, by the own times of the writes in this run.\n",
        .example_c =
            "    /* before */                          /* after */\n"
            "    for (...)                             FILE *out = fdopen(fd, \"w\");\n"
            "        write(fd, &record,                for (...)\n"
            "              sizeof record);                 fwrite(&record,\n"
            "                                                     sizeof record, 1, out);\n"
            "                                          if (fclose(out) != 0)\n"
            "                                              fail();\n",
        .example_cpp = "    // before                             // after\n"
                       "    out << record << std::endl;           out << record << '\\n';\n",
        .when_not = "Leave it where each write is a message that somebody waits for, where it is\n"
                    "a log that must survive a crash, or where several processes append whole\n"
                    "lines to one file.\n",
        .find = find_tiny_writes,
    },
    {
        .id = "IO202",
        .name = "tiny_read",
        .brief = "many small reads, one behind the other",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_CALLS,
        .kind = SUGGEST_BUFFER_IO,
        .effort = 1,
        .confidence = 0.85,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_calls", 1000, "reads from the place"},
                   {"max_median_bytes", 4096, "half of the reads must be smaller than this"},
                   IO_GAIN_LIMITS},
        .must_keep =
            {"what was read ahead is lost to whoever uses the descriptor next: a child, a seek",
             "a read that waits for more than the next piece must not hold that piece back",
             "the end of the file and errors are told apart"},
        .why_same_output =
            "The program gets the same bytes in the same order, from its own memory instead of "
            "from "
            "the kernel. To check: nothing else reads that descriptor or moves its position.",
        .sort = "io_read_calls",
        .expect = "io_read_calls of the place one per 64 KiB; the finding is gone",
        .meaning = "Each read is a call of the kernel, some 150 ns before the first byte is\n"
                   "copied; taking 100 bytes from a buffer takes 20. Reads that got all there\n"
                   "was, as from a slow pipe, are left out: asking for more gives no more.\n",
        .evidence = "Reads from the place, their sizes, and that most of them began where the\n"
                    "last one had ended. The saving is the reads less those that a buffer of\n"
                    "64 KiB leaves, by the own times of the reads in this run.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    while (read(fd, &record,              FILE *in = fdopen(fd, \"r\");\n"
                     "                sizeof record) > 0)       while (fread(&record,\n"
                     "        use(&record);                                sizeof record, 1, in))\n"
                     "                                              use(&record);\n",
        .example_cpp =
            "    // before                             // after\n"
            "    while (read(fd, &r, sizeof r) > 0)    std::ifstream in(path, binary);\n"
            "        use(r);                           while (in.read(bytes(r), sizeof r))\n"
            "                                              use(r);\n",
        .when_not = "Leave it where the descriptor is handed on in mid-stream, or where a lock on\n"
                    "a part of the file says which bytes may be read now.\n",
        .find = find_tiny_reads,
    },
};

const struct rule_family io_size_rules = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: MIT */
/* Which bytes or records go to the kernel one by one, although a buffer could stand between? */
#include <errno.h>

#include "findings/io_gain.h"
#include "findings/io_traits.h"

/* ---- IO203: a byte at a time ---- */

static const char *advise_on_bytes(struct finder *finder, const struct io_site *site,
                                   const struct io_gain *gain)
{
    const char *const what =
        site->layer == IO_LAYER_STDIO ? "Let the stream collect the bytes (no setvbuf with _IONBF "
                                        "on it, no fflush after each)"
        : site->reads ? "Read 64 KiB at a time and hand out bytes from that buffer, as getc does"
                      : "Collect bytes in a buffer of 64 KiB and write it when it is full and at "
                        "the end, as putc does";
    return finder_text(finder, "%s: %s calls become about %s.", what,
                       finder_number(finder, (double)site->calls),
                       finder_number(finder, (double)site->calls - gain->calls));
}

static int tell_bytes(struct finder *finder, const struct rule *rule, const struct io_site *site,
                      const struct io_gain *gain)
{
    struct finding *const finding = io_gain_tell(finder, rule, site, gain);
    if (!finding)
        return -ENOMEM;
    finding->title = finder_text(
        finder, "%s calls of %s on %s, %s one byte", finder_number(finder, (double)site->calls),
        site->op, io_traits_target_name(site), site->sizes.max == 1 ? "each of" : "most of");
    finding->suggestion.text = advise_on_bytes(finder, site, gain);
    io_gain_set_buffer(finding, IO_GAIN_BUFFER_BYTES, gain);
    return 0;
}

static bool goes_by_byte(const struct io_site *site)
{
    return site->reads != site->writes && io_traits_is_by_byte(site) && io_traits_is_stream(site) &&
           io_traits_target(site) != IO_TARGET_TERMINAL &&
           (site->reads || io_traits_can_wait(site));
}

static int find_bytes(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    const double min_calls = finder_limit(finder, rule, "min_calls");
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if ((double)site->calls < min_calls || !goes_by_byte(site))
            continue;
        const struct io_gain gain = io_gain_of_buffer(finder, site, IO_GAIN_BUFFER_BYTES);
        if (io_gain_matters(finder, rule, &gain))
            error = tell_bytes(finder, rule, site, &gain);
    }
    return error;
}

/* ---- IO205, IO206: streams that do not wait for a full buffer ---- */

/* Calls of stdio that a transfer served from which on the stream had a buffer and was told to empty it: fputs
 * and fflush are two. */
static const double FLUSHED_CALLS = 1.5;

static const char *advise_on_stream(bool flushed)
{
    return flushed ? "Leave out the fflush after each record, or what has its effect (a seek, a "
                     "line buffer; in C++ "
                     "std::endl and std::cerr), and flush where somebody waits for the data"
                   : "Give the stream a buffer with setvbuf(stream, NULL, _IOFBF, 4096) before its "
                     "first use (stderr has "
                     "none by itself, and dprintf none at all: use fprintf), and flush where "
                     "somebody waits for the data";
}

static int tell_stream(struct finder *finder, const struct rule *rule, const struct io_site *site,
                       const struct io_gain *gain, bool flushed)
{
    struct finding *const finding = io_gain_tell(finder, rule, site, gain);
    if (!finding)
        return -ENOMEM;
    const char *const calls = finder_number(finder, (double)site->calls);
    finding->title =
        finder_text(finder, "%s writes for %s calls of stdio, half of them of %s or less", calls,
                    finder_number(finder, (double)site->logical_calls),
                    finder_bytes(finder, (double)site->sizes.p50));
    finding->suggestion.text =
        finder_text(finder, "%s: %s writes become about %s.", advise_on_stream(flushed), calls,
                    finder_number(finder, (double)site->calls - gain->calls));
    io_gain_set_buffer(finding, IO_GAIN_STDIO_BYTES, gain);
    if (io_traits_target(site) != IO_TARGET_FILE)
        finder_doubt(finding, 0.7, "a reader at the other end may wait for each record");
    return 0;
}

static bool is_written_early(const struct io_site *site, bool flushed)
{
    return site->layer == IO_LAYER_STDIO && site->writes && !site->reads &&
           !io_traits_is_by_byte(site) && io_traits_is_stream(site) &&
           io_traits_target(site) != IO_TARGET_TERMINAL && io_traits_can_wait(site) &&
           ((double)site->logical_calls >= FLUSHED_CALLS * (double)site->calls) == flushed;
}

static int find_streams(struct finder *finder, const struct rule *rule, bool flushed)
{
    const struct profile *const profile = finder->profile;
    const double min_calls = finder_limit(finder, rule, "min_calls");
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if ((double)site->calls < min_calls || !is_written_early(site, flushed))
            continue;
        const struct io_gain gain = io_gain_of_buffer(finder, site, IO_GAIN_STDIO_BYTES);
        if (io_gain_matters(finder, rule, &gain))
            error = tell_stream(finder, rule, site, &gain, flushed);
    }
    return error;
}

static int find_flushed(struct finder *finder, const struct rule *rule)
{
    return find_streams(finder, rule, true);
}

static int find_unbuffered(struct finder *finder, const struct rule *rule)
{
    return find_streams(finder, rule, false);
}

static const struct rule rows[] = {
    {
        .id = "IO203",
        .name = "byte_at_a_time",
        .brief = "reads or writes of one byte, one after the other",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_CALLS,
        .kind = SUGGEST_BUFFER_IO,
        .effort = 1,
        .confidence = 0.9,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_calls", 1000, "calls from the place"}, IO_GAIN_LIMITS},
        .must_keep = {"what was read ahead belongs to whoever reads the descriptor next",
                      "data is written before the descriptor is closed or the process ends",
                      "an error of a write is noticed, also when it comes later"},
        .why_same_output =
            "The same bytes are read and written in the same order; only how many go with one "
            "call differs. To check: nobody else uses the descriptor in between.",
        .sort = "io_calls",
        .expect = "io_calls of the place a few per 64 KiB; the finding is gone",
        .meaning = "Each byte costs a call of the kernel: 100 to 400 ns, where taking it from a\n"
                   "buffer costs about one.\n",
        .evidence = "Calls from the place of which 95 % moved at most one byte, most of them\n"
                    "right behind the last one. The saving is the calls less those that a\n"
                    "buffer of 64 KiB leaves, by the own times of the calls in this run.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    char c;                               FILE *in = fdopen(fd, \"r\");\n"
                     "    while (read(fd, &c, 1) == 1)          int c;\n"
                     "        use(c);                           while ((c = getc(in)) != EOF)\n"
                     "                                              use(c);\n",
        .example_cpp = "    // before                             // after\n"
                       "    std::ifstream in;                     std::ifstream in(path);\n"
                       "    in.rdbuf()->pubsetbuf(nullptr, 0);    char c;\n"
                       "    in.open(path);                        while (in.get(c))\n"
                       "    while (in.get(c))                         use(c);\n"
                       "        use(c);\n",
        .when_not = "Leave it where another process goes on reading at the same descriptor (a\n"
                    "shell reads its input by bytes for that reason), or where each byte is a\n"
                    "signal to somebody, as in a pipe that wakes a thread.\n",
        .find = find_bytes,
    },
    {
        .id = "IO206",
        .name = "unbuffered_stderr",
        .brief = "calls of stdio that each write at once, as those to stderr do",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_CALLS,
        .kind = SUGGEST_BUFFER_IO,
        .effort = 1,
        .confidence = 0.7,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_calls", 1000, "writes that stdio made for the place"}, IO_GAIN_LIMITS},
        .must_keep =
            {"the last messages before a crash must come out: flush what is serious at once",
             "lines of stdout and stderr that go to one file keep their order",
             "lines of several processes in one file stay whole"},
        .why_same_output =
            "The same text is written to the same stream in the same order, in larger pieces. To "
            "check: that no other stream writes to the same file in between.",
        .sort = "io_write_calls",
        .expect = "io_write_calls of the place one per 4 KiB; the finding is gone",
        .meaning = "A stream without a buffer hands each printf to the kernel. stderr is such a\n"
                   "stream, and any after setvbuf(_IONBF); a stream with a line buffer does\n"
                   "the same for each line.\n",
        .evidence = "Writes that stdio made for the place, and calls of stdio that they served:\n"
                    "nearly as many. Streams on a terminal are left out. The saving is the\n"
                    "writes less those of full buffers of 4 KiB, by the own times of the writes.\n",
        .example_c =
            "    /* before */                          /* after */\n"
            "    fprintf(stderr, ...);                 static char room[4096];\n"
            "                                          setvbuf(stderr, room, _IOFBF,\n"
            "                                                  sizeof room);\n"
            "                                          ...\n"
            "                                          fflush(stderr);  /* at the end */\n",
        .example_cpp =
            "    // before                             // after\n"
            "    std::cerr << message << '\\n';         // first of all in main:\n"
            "                                          std::ios::sync_with_stdio(false);\n"
            "                                          ...\n"
            "                                          std::clog << message << '\\n';\n",
        .when_not = "Leave it where messages are rare, or must be there when the program is\n"
                    "killed in the next instant: a debug log of a crash, a progress line.\n",
        .find = find_unbuffered,
    },
    {
        .id = "IO205",
        .name = "flush_per_record",
        .brief = "a stream that is emptied after each record",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_CALLS,
        .kind = SUGGEST_BUFFER_IO,
        .effort = 1,
        .confidence = 0.7,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_calls", 1000, "writes that stdio made for the place"}, IO_GAIN_LIMITS},
        .must_keep = {"whoever reads the file or pipe meanwhile still gets what he waits for",
                      "the stream is flushed before fork, before _exit and at the end",
                      "an error is noticed: check fflush or fclose"},
        .why_same_output =
            "The same bytes reach the file in the same order, in larger pieces; fclose and a "
            "normal exit write what is left.",
        .sort = "io_write_calls",
        .expect = "io_write_calls of the place one per 4 KiB; the finding is gone",
        .meaning = "The stream has a buffer, but something empties it after each record: fflush,\n"
                   "a seek, a line buffer. Each time the kernel is called for a few bytes.\n",
        .evidence =
            "Writes that stdio made for the place, how large they were, and how many calls\n"
            "of stdio each of them served. The saving is the writes less those of full\n"
            "buffers of 4 KiB, by the own times of the writes in this run.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    for (...) {                           for (...)\n"
                     "        fprintf(log, ...);                    fprintf(log, ...);\n"
                     "        fflush(log);                      if (fflush(log) != 0)\n"
                     "    }                                         fail();\n",
        .example_cpp = "    // before                             // after\n"
                       "    out << record << std::endl;           out << record << '\\n';\n",
        .when_not = "Leave it where a person or another process follows the output as it comes,\n"
                    "where the file is all that remains after a crash, and where requests and\n"
                    "answers go to and fro over a pipe.\n",
        .find = find_flushed,
    },
};

const struct rule_family io_unbuffered_rules = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: MIT */
/* Which transfers take memory that they could do without? */
#include <errno.h>

#include "findings/io_gain.h"

/* ---- IO223: memory for one call ---- */

/* glibc's malloc and free of a small block from its thread cache. */
static const double USUAL_PAIR_SECONDS = 20e-9;

static int tell_buffers(struct finder *finder, const struct rule *rule, const struct io_site *site)
{
    const double blocks = (double)site->single_calls;
    const struct io_gain gain = {.seconds = blocks * USUAL_PAIR_SECONDS};
    struct finding *const finding = io_gain_tell(finder, rule, site, &gain);
    if (!finding)
        return -ENOMEM;
    const char *const number = finder_number(finder, blocks);
    finding->title = finder_text(
        finder, "%s calls of %s with a block of memory used for that call alone", number, site->op);
    finding->evidence.value = blocks;
    finding->suggestion.text = finder_text(finder,
                                           "Allocate the buffer once, before the loop, and use it "
                                           "for each call: no call moved more than %s. That is "
                                           "%s blocks less to allocate and free.",
                                           finder_bytes(finder, (double)site->sizes.max), number);
    finding->saves.allocations = maybe_known(blocks);
    return 0;
}

static int find_buffers(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (site->layer == IO_LAYER_SYSCALL && site->reads != site->writes &&
            (double)site->single_calls >= finder_limit(finder, rule, "min_calls") &&
            finder_percent((double)site->single_calls, (double)site->calls) >=
                finder_limit(finder, rule, "min_percent"))
            error = tell_buffers(finder, rule, site);
    }
    return error;
}

/* ---- IO224: a whole file in memory ---- */

static int tell_slurp(struct finder *finder, const struct rule *rule, const struct io_site *site)
{
    const double bytes = (double)site->habits->whole_file_bytes;
    const double peak = (double)finder->profile->totals.peak_bytes;
    const struct io_gain gain = {.calls = 0};
    struct finding *const finding = io_gain_tell(finder, rule, site, &gain);
    if (!finding)
        return -ENOMEM;
    finding->percentage = finding->impact = finder_percent(bytes < peak ? bytes : peak, peak);
    finding->whole = OF_PEAK_BYTES;
    finding->title = finder_text(finder, "a file of %s read as a whole into one block of memory",
                                 finder_bytes(finder, bytes));
    finding->evidence.metric = "io_read_bytes";
    finding->evidence.unit = "bytes";
    finding->evidence.value = bytes;
    finding->evidence.count = site->habits->whole_file_calls;
    finding->suggestion.text = finder_text(finder,
                                           "Where the file is gone through from begin to end, read "
                                           "it in pieces of 64 KiB and use each before the next; "
                                           "where it is needed as a whole, mmap leaves it in the "
                                           "page cache: either way the heap is %s smaller.",
                                           finder_bytes(finder, bytes));
    finding->saves.peak_bytes = maybe_known(bytes < peak ? bytes : peak);
    finder_doubt(finding, 0.7,
                 "how the block is used, and whether it was live at the peak, is not known");
    return 0;
}

static int find_slurps(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (!site->habits || !site->reads || site->habits->whole_file_calls == 0)
            continue;
        const double bytes = (double)site->habits->whole_file_bytes;
        if (bytes >= finder_limit(finder, rule, "min_bytes") &&
            finder_percent(bytes, (double)profile->totals.peak_bytes) >=
                finder_limit(finder, rule, "min_percent"))
            error = tell_slurp(finder, rule, site);
    }
    return error;
}

static const struct rule rows[] = {
    {
        .id = "IO223",
        .name = "buffer_per_call",
        .brief = "a block of memory allocated for each read or write and freed after it",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_NONE,
        .kind = SUGGEST_REUSE_BUFFER,
        .effort = 1,
        .confidence = 0.8,
        .ceiling = SEVERITY_MEDIUM,
        .limits = {{"min_calls", 1000, "calls whose block no other call used"},
                   {"min_percent", 50, "share of them in the place's calls"}},
        .must_keep = {"a caller that keeps the block must go on having its own",
                      "what is left in the buffer from the call before must not be read",
                      "threads need a buffer each"},
        .why_same_output = "The same bytes are read or written, through memory at another address. "
                           "To check: nobody "
                           "keeps a pointer into the buffer.",
        .sort = "io_calls",
        .expect = "alloc_count lower by the number of calls; the finding is gone",
        .meaning = "Each call gets a block of its own that is freed before any other call uses\n"
                   "it. One buffer, allocated before the loop, serves them all; it also stays in\n"
                   "the processor's cache.\n",
        .evidence = "Calls whose memory lay in a heap block that no other call used before the\n"
                    "block was freed. The saving is one allocation for each, 20 ns for the pair;\n"
                    "blocks of more than 128 KiB, which may be mapped each time, cost more.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    for (...) {                           char *room = malloc(SIZE);\n"
                     "        char *room = malloc(SIZE);        for (...) {\n"
                     "        n = read(fd, room, SIZE);             n = read(fd, room, SIZE);\n"
                     "        use(room, n);                         use(room, n);\n"
                     "        free(room);                       }\n"
                     "    }                                     free(room);\n",
        .example_cpp = "    // before                             // after\n"
                       "    for (...) {                           std::vector<char> room(SIZE);\n"
                       "        std::vector<char> room(SIZE);     for (...)\n"
                       "        fill(fd, room);                       fill(fd, room);\n"
                       "    }\n",
        .when_not = "Leave it where the data is kept or handed to another thread, or where one\n"
                    "huge call would make the buffer stay huge.\n",
        .find = find_buffers,
    },
    {
        .id = "IO224",
        .name = "whole_file_slurp",
        .brief = "a large file read as a whole into one block of memory",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_NONE,
        .kind = SUGGEST_READAHEAD_OR_MMAP,
        .effort = 3,
        .confidence = 0.5,
        .ceiling = SEVERITY_MEDIUM,
        .limits = {{"min_bytes", 4194304, "of the largest file that was read so"},
                   {"min_percent", 25, "the file's share of peak_bytes"}},
        .must_keep =
            {"what crosses the edge of two pieces: a line, a record, a character of several bytes",
             "a file that changes while it is read looks different piece by piece",
             "errors in the middle of the file, after the first results are out"},
        .why_same_output =
            "The same bytes are worked on in the same order, some at a time. To check: nothing is "
            "looked up again in an earlier part.",
        .sort = "io_read_bytes",
        .expect = "peak_bytes lower by the size of the file; the finding is gone",
        .meaning = "The program holds a file in one block before it works on it. Where the work\n"
                   "goes from begin to end, a window is enough; it also begins sooner, and the\n"
                   "memory does not grow with the input.\n",
        .evidence = "Reads into one block of the heap that together came to the size of the\n"
                    "file, and the size of the largest such file beside peak_bytes. What the\n"
                    "program does with the block is not known: this is a hint to have a look.\n",
        .example_c =
            "    /* before */                          /* after */\n"
            "    char *all = malloc(size);             char room[65536];\n"
            "    read(fd, all, size);                  while ((n = read(fd, room,\n"
            "    use(all, size);                                        sizeof room)) > 0)\n"
            "                                              use(room, n);\n",
        .example_cpp = "    // before                             // after\n"
                       "    std::string all(begin(in), end());    std::string line;\n"
                       "    for (auto line : split(all))          while (std::getline(in, line))\n"
                       "        use(line);                            use(line);\n",
        .when_not = "Leave it where the work needs the file as a whole (an index, a parser that\n"
                    "points into it), or where files are known to be small.\n",
        .find = find_slurps,
    },
};

const struct rule_family io_memory_rules = {rows, sizeof rows / sizeof *rows};

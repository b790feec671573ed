/* SPDX-License-Identifier: MIT */
/* Which transfers go through memory that they could do without? */
#include <errno.h>
#include <string.h>

#include "findings/io_costs.h"
#include "findings/io_gain.h"
#include "findings/io_traits.h"

/* ---- IO222: a copy through a buffer ---- */

struct copy {
    const struct io_site
        *from;           /* the place that read what is written; NULL where that is not clear */
    double calls, bytes; /* of the writes */
};

static const struct profile_frame *frame_of(const struct finder *finder, const struct io_site *site)
{
    return site->place < site->n_frames ? &finder->profile->frames[site->frames[site->place]]
                                        : NULL;
}

static bool is_same_function(const struct finder *finder, const struct io_site *a,
                             const struct io_site *b)
{
    const struct profile_frame *const of_a = frame_of(finder, a), *const of_b = frame_of(finder, b);
    return of_a && of_b && *of_a->function && strcmp(of_a->function, of_b->function) == 0 &&
           strcmp(of_a->module, of_b->module) == 0;
}

/* Only the reads of the same function are asked, and only if they come to as much. */
static const struct io_site *find_source(const struct finder *finder, const struct io_site *site,
                                         double bytes)
{
    const struct profile *const profile = finder->profile;
    const struct io_site *source = NULL;
    for (size_t i = 0; i < profile->n_io_places; i++) {
        const struct io_site *const other = &profile->io_places[i];
        if (!other->reads || other->writes || (double)other->bytes < bytes ||
            !is_same_function(finder, site, other))
            continue;
        if (source)
            return NULL; /* either may be it */
        source = other;
    }
    return source;
}

static struct copy copy_of(const struct finder *finder, const struct io_site *site)
{
    const double all = (double)site->copied_calls;
    const double calls = (double)site->habits->copied_elsewhere_calls;
    if (!(all > 0))
        return (struct copy){.from = NULL};
    const double bytes = (double)site->copied_bytes * (calls < all ? calls / all : 1);
    return (struct copy){find_source(finder, site, bytes), calls, bytes};
}

static struct io_gain gain_of_kernel_copy(const struct copy *copy)
{
    return (struct io_gain){.calls = copy->from ? 2 * copy->calls : copy->calls,
                            .seconds = copy->calls * io_costs_seconds(IO_COST_COPY_PAIR) +
                                       copy->bytes * io_costs_seconds(IO_COST_THROUGH_BYTE)};
}

static const char *advise_on_copy(enum io_target from, enum io_target to)
{
    const bool has_pipe = from == IO_TARGET_PIPE || to == IO_TARGET_PIPE;
    if (from == IO_TARGET_FILE && to == IO_TARGET_FILE)
        return "Where the bytes are not changed in between, copy them with copy_file_range, from "
               "file to file within "
               "the kernel.";
    if (from == IO_TARGET_FILE && to != IO_TARGET_UNKNOWN)
        return "Where the bytes are not changed in between, send them with sendfile, which takes "
               "them from the file "
               "within the kernel.";
    if (has_pipe && from != IO_TARGET_UNKNOWN && to != IO_TARGET_UNKNOWN)
        return "Where the bytes are not changed in between, move them with splice: one of the two "
               "ends is a pipe.";
    if (from == IO_TARGET_SOCKET && to != IO_TARGET_UNKNOWN)
        return "Where the bytes are not changed in between, move them with splice, through a pipe "
               "made for it: from the "
               "socket into the pipe, from the pipe to the other end.";
    return "Where the bytes are not changed in between, let the kernel copy them: copy_file_range "
           "from file to file, "
           "sendfile from a file to anything, splice where one end is a pipe.";
}

static int tell_copy(struct finder *finder, const struct rule *rule, const struct io_site *site,
                     const struct copy *copy)
{
    const struct io_gain gain = gain_of_kernel_copy(copy);
    struct finding *const finding = io_gain_tell(finder, rule, site, &gain);
    if (!finding)
        return -ENOMEM;
    finding->title = finder_text(finder, "%s written to %s from memory that reads had just filled",
                                 finder_bytes(finder, copy->bytes), io_traits_target_name(site));
    finding->evidence.metric = "io_write_bytes";
    finding->evidence.unit = "bytes";
    finding->evidence.value = copy->bytes;
    finding->suggestion.text = advise_on_copy(
        copy->from ? io_traits_target(copy->from) : IO_TARGET_UNKNOWN, io_traits_target(site));
    finding->saves.io_bytes = maybe_known(copy->bytes);
    if (copy->from && *copy->from->path && finding->evidence.n_paths < FINDING_MAX_PATHS)
        finding->evidence.paths[finding->evidence.n_paths++] = copy->from->path;
    if (!copy->from)
        finder_doubt(finding, 0.8, "which reads filled the memory is not known");
    return 0;
}

static int find_copies(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (!site->habits || site->layer != IO_LAYER_SYSCALL || site->reads || !site->writes)
            continue;
        const struct copy copy = copy_of(finder, site);
        const struct io_gain gain = gain_of_kernel_copy(&copy);
        if (copy.bytes >= finder_limit(finder, rule, "min_bytes") &&
            finder_percent(copy.bytes, (double)site->bytes) >=
                finder_limit(finder, rule, "min_percent") &&
            io_traits_target(site) != IO_TARGET_TERMINAL && io_gain_matters(finder, rule, &gain))
            error = tell_copy(finder, rule, site, &copy);
    }
    return error;
}

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
        .id = "IO222",
        .name = "copy_loop",
        .brief = "a read and a write in turn that copy what the kernel could copy alone",
        .category = CATEGORY_IO_PATTERN,
        .group = GROUP_NONE,
        .kind = SUGGEST_COPY_IN_KERNEL,
        .effort = 2,
        .confidence = 0.7,
        .ceiling = SEVERITY_HIGH,
        .limits = {{"min_bytes", 1048576, "written from memory that a read had filled just before"},
                   {"min_percent", 50, "share of them in the bytes that the place writes"},
                   IO_GAIN_LIMITS},
        .must_keep =
            {"the loop: these calls copy less than asked for, too",
             "the way without them, for EINVAL, EXDEV, ENOSYS and EOPNOTSUPP",
             "whatever looks at the bytes in between: a checksum, a filter, a progress line"},
        .why_same_output = "The same bytes arrive in the same order without passing through the "
                           "program. To check: "
                           "nothing changes the buffer between read and write.",
        .sort = "io_write_bytes",
        .expect = "io_read_calls and io_write_calls of the two places near 0; the finding is gone",
        .meaning = "What was read from one descriptor is written to another from the same\n"
                   "memory. The kernel can do that without the detour: copy_file_range between\n"
                   "files (on some file systems without copying at all), sendfile from a file\n"
                   "to anything, splice from or to a pipe.\n",
        .evidence = "Writes whose memory a read of another descriptor had filled right before.\n"
                    "That the bytes stayed the same is not known. The saving is 1.1 us for each\n"
                    "read and write and 0.05 ns a byte: 64 MiB took 36 ms with a buffer of\n"
                    "4 KiB, 18 with one of 64 KiB and 15 by copy_file_range.\n",
        .example_c = "    /* before */                          /* after */\n"
                     "    while ((n = read(in, room,            do\n"
                     "                     sizeof room)) > 0)       n = copy_file_range(in, NULL,\n"
                     "        write(out, room, n);                      out, NULL, SIZE, 0);\n"
                     "                                          while (n > 0);\n",
        .example_cpp =
            "    // before                             // after\n"
            "    to << from.rdbuf();                   std::filesystem::copy_file(a, b);\n",
        .when_not = "Leave it where the bytes are looked at or changed on the way, or where the\n"
                    "program must run on kernels and file systems without these calls.\n",
        .find = find_copies,
    },
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

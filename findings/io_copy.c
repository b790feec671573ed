/* SPDX-License-Identifier: MIT */
/* Which bytes pass through the program only to be written again? */
#include <errno.h>
#include <string.h>

#include "findings/frame.h"
#include "findings/io_costs.h"
#include "findings/io_gain.h"
#include "findings/io_traits.h"

struct copy {
    const struct io_site
        *from;           /* the place that read what is written; NULL where that is not clear */
    double calls, bytes; /* of the writes */
};

/* Only the reads of the same function are asked, and only if they come to as much. */
static const struct io_site *find_source(const struct finder *finder, const struct io_site *site,
                                         double bytes)
{
    const struct profile *const profile = finder->profile;
    const struct io_site *source = NULL;
    for (size_t i = 0; i < profile->n_io_places; i++) {
        const struct io_site *const other = &profile->io_places[i];
        if (!other->reads || other->writes || (double)other->bytes < bytes ||
            !frame_is_same_function(frame_of_io(profile, site), frame_of_io(profile, other)))
            continue;
        if (source)
            return NULL; /* either may be it */
        source = other;
    }
    return source;
}

/* The bytes that went to another descriptor than they came from, as far as the calls tell. */
static double copied_bytes(const struct io_site *site)
{
    const double all = (double)site->copied_calls;
    const double calls = (double)site->habits->copied_elsewhere_calls;
    return all > 0 ? (double)site->copied_bytes * (calls < all ? calls / all : 1) : 0;
}

static struct copy copy_of(const struct finder *finder, const struct io_site *site)
{
    const double bytes = copied_bytes(site);
    return (struct copy){.from = find_source(finder, site, bytes),
                         .calls = (double)site->habits->copied_elsewhere_calls,
                         .bytes = bytes};
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

/* A terminal or /dev/null takes what it is given: the kernel has nothing to copy for the program. */
static bool can_copy_to(enum io_target target)
{
    return target != IO_TARGET_TERMINAL && target != IO_TARGET_DEVICE;
}

static bool is_copy(const struct finder *finder, const struct rule *rule,
                    const struct io_site *site)
{
    if (!site->habits || site->layer != IO_LAYER_SYSCALL || site->reads || !site->writes ||
        !can_copy_to(io_traits_target(site)))
        return false;
    const double bytes = copied_bytes(site);
    return bytes >= finder_limit(finder, rule, "min_bytes") &&
           finder_percent(bytes, (double)site->bytes) >= finder_limit(finder, rule, "min_percent");
}

static int find_copies(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_io_places && error == 0; i++) {
        const struct io_site *const site = &profile->io_places[i];
        if (!is_copy(finder, rule, site))
            continue;
        const struct copy copy = copy_of(finder, site);
        const struct io_gain gain = gain_of_kernel_copy(&copy);
        if (io_gain_matters(finder, rule, &gain))
            error = tell_copy(finder, rule, site, &copy);
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
};

const struct rule_family io_copy_rules = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: MIT */
/* Whether traces written long ago still say the same, and scripts still make the same bytes.
 *
 * tests/golden/scripts/NAME.txt says in words what tests/golden/traces/NAME.hwt holds. After a change of
 * the format keep the old files and add new ones; GOLDEN_UPDATE=1 writes those that are missing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reader/dump.h"
#include "tests/support/load_script.h"

struct row {
    const char *name;
    uint64_t allocs, reallocs, frees, bytes, peak, leaked_count, leaked_bytes, temporary;
    uint64_t copied, slack, events, lost, unknown, inherited;
    uint32_t n_processes, n_threads;
    size_t n_sites;
    bool truncated;
};

static const struct row rows[] = {
    {"one_thread", 203, 35, 187, 2289258, 434348, 16, 224664, 29, 40446, 92, 426, 0, 0, 0, 1, 1, 5,
     false},
    {"tree", 5, 0, 3, 1718, 1500, 2, 577, 1, 0, 26, 8, 0, 0, 1, 2, 2, 3, false},
    {"threads", 5, 0, 5, 666, 516, 1, 200, 2, 0, 20, 10, 3, 1, 0, 1, 2, 3, false},
    {"cut", 2, 0, 1, 300, 300, 1, 200, 0, 0, 4, 3, 0, 0, 0, 1, 1, 2, true},
    {"stopped", 1, 0, 0, 100, 100, 1, 100, 0, 0, 4, 1, 500, 0, 0, 1, 1, 1, false},
    {"io", 4, 0, 2, 13312, 5120, 2, 5120, 2, 0, 16, 35, 0, 0, 0, 2, 2, 3, false},
};

static char *file_at(const char *folder, const char *name, const char *ending, char path_out[512])
{
    snprintf(path_out, 512, TEST_SOURCE_ROOT "/tests/golden/%s/%s.%s", folder, name, ending);
    return path_out;
}

static char *read_text(const char *path)
{
    FILE *const file = fopen(path, "r");
    assert_non_null(file);
    char *const text = calloc(1, 1 << 20);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static void write_missing(const char *path, const struct trace_bytes *trace)
{
    if (access(path, F_OK) == 0 || !getenv("GOLDEN_UPDATE"))
        return;
    struct trace_bytes packed = trace_compress(trace, 2);
    FILE *const file = fopen(path, "w");
    assert_non_null(file);
    fwrite(packed.bytes, 1, packed.n_bytes, file);
    fclose(file);
    free(packed.bytes);
}

static void scripts_make_the_bytes_of_the_traces(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[512], *kept = NULL;
        size_t n_kept = 0;
        struct trace_error error;
        char *const script = read_text(file_at("scripts", rows[i].name, "txt", path));
        struct trace_bytes trace = trace_write(script);
        write_missing(file_at("traces", rows[i].name, "hwt", path), &trace);
        FILE *const out = open_memstream(&kept, &n_kept);
        assert_int_equal(dump_trace(path, DUMP_MSGPACK, out, &error),
                         rows[i].truncated ? -EBADMSG : 0);
        fclose(out);
        assert_int_equal(n_kept, trace.n_bytes);
        assert_memory_equal(kept, trace.bytes, n_kept);
        free(kept);
        free(trace.bytes);
        free(script);
    }
}

static struct row found_in(const struct profile *profile, const char *name)
{
    const struct metrics *const m = &profile->totals;
    const struct coverage *const c = &profile->coverage;
    struct row row;
    memset(&row, 0, sizeof row);
    row = (struct row){name,
                       m->alloc_count,
                       m->realloc_count,
                       m->free_count,
                       m->alloc_bytes,
                       m->peak_bytes,
                       m->leaked_count,
                       m->leaked_bytes,
                       m->temporary_count,
                       m->copied_bytes,
                       m->slack_bytes,
                       m->events,
                       m->lost_events,
                       c->unknown_frees,
                       c->inherited_frees,
                       profile->n_processes,
                       (uint32_t)c->threads,
                       profile->n_sites,
                       profile->truncated};
    return row;
}

static void traces_say_what_they_always_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[512];
        struct profile *profile;
        struct trace_error error;
        assert_int_equal(
            profile_load(file_at("traces", rows[i].name, "hwt", path), NULL, &profile, &error), 0);
        const struct row f = found_in(profile, rows[i].name), *const w = &rows[i];
        const uint64_t found[] = {
            f.allocs,       f.reallocs,  f.frees,       f.bytes,     f.peak,    f.leaked_count,
            f.leaked_bytes, f.temporary, f.copied,      f.slack,     f.events,  f.lost,
            f.unknown,      f.inherited, f.n_processes, f.n_threads, f.n_sites, f.truncated};
        const uint64_t wanted[] = {w->allocs,  w->reallocs,     w->frees,        w->bytes,
                                   w->peak,    w->leaked_count, w->leaked_bytes, w->temporary,
                                   w->copied,  w->slack,        w->events,       w->lost,
                                   w->unknown, w->inherited,    w->n_processes,  w->n_threads,
                                   w->n_sites, w->truncated};
        for (size_t j = 0; j < sizeof found / sizeof *found; j++)
            if (found[j] != wanted[j])
                fail_msg("%s: number %zu is %llu instead of %llu", w->name, j,
                         (unsigned long long)found[j], (unsigned long long)wanted[j]);
        profile_free(profile);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_make_the_bytes_of_the_traces),
        cmocka_unit_test(traces_say_what_they_always_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

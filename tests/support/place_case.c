/* SPDX-License-Identifier: MIT */
/* How do rules see a run that nobody recorded? */
#include "tests/support/place_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MAIN = CASE_PLACES };

static const struct profile_frame frames[] = {
    {"work_0", "work.c", "/bin/work", 0x100, 10},
    {"work_1", "work.c", "/bin/work", 0x200, 11},
    {"work_2", "work.c", "/bin/work", 0x300, 12},
    {"work_3", "work.c", "/bin/work", 0x400, 13},
    [MAIN] = {"main", "work.c", "/bin/work", 0x500, 50},
};
static const uint32_t stacks[CASE_PLACES][2] = {{0, MAIN}, {1, MAIN}, {2, MAIN}, {3, MAIN}};

static struct findings *found[64];
static size_t n_found;

void place_case_init(struct place_case *run)
{
    *run = (struct place_case){.profile = {.allocator = "/lib/libc.so.6"}};
    run->profile.trace_name = "work.hwt";
    run->profile.totals = (struct metrics){.alloc_count = 100000,
                                           .free_count = 100000,
                                           .alloc_bytes = 100000000,
                                           .peak_bytes = 10000000,
                                           .events = 200000,
                                           .duration_seconds = 10};
    run->profile.duration_seconds = 10;
    run->profile.frames = frames;
    run->profile.n_frames = sizeof frames / sizeof *frames;
    run->profile.n_processes = 1;
    run->profile.places = run->places;
    run->profile.n_places = CASE_PLACES;
    for (unsigned i = 0; i < CASE_PLACES; i++)
        run->places[i] = (struct site){.n_frames = 2,
                                       .frames = stacks[i],
                                       .n_threads = 1,
                                       .n_processes = 1,
                                       .most_threads = 1,
                                       .habits = &run->habits[i],
                                       .n_stacks = 1};
}

void place_case_blocks(struct place_case *run, unsigned i, uint64_t count, uint64_t size)
{
    struct site *const site = &run->places[i];
    run->freed_at = (struct freed_at){2, site->frames, 0, count};
    run->habits[i].freed_seen_count = count;
    run->habits[i].n_freed_at = 1;
    run->habits[i].freed_at = &run->freed_at;
    run->habits[i].slots_999 = 1;
    site->metrics.alloc_count = site->metrics.free_count = count;
    site->metrics.alloc_bytes = count * size;
    site->sizes = (struct quantiles){size, size, size, size, size, count};
    site->lifetime_ns = (struct quantiles){10, 100, 1000, 10000, 100000, count};
    site->alloc_call_ns = (struct quantiles){20, 20, 20, 20, 20, 100};
    site->free_call_ns = site->alloc_call_ns;
    site->max_live_count = 1;
    site->max_live_bytes = size;
}

const struct finding *place_case_find(struct place_case *run, const char *rule)
{
    const struct findings_config config = {0};
    const struct finding *finding = NULL;
    struct findings *all;
    assert_in_range(n_found, 0, sizeof found / sizeof *found - 1);
    assert_int_equal(findings_make(&run->profile, &config, 0, &all), 0);
    found[n_found++] = all;
    for (size_t i = 0; i < all->n; i++) {
        if (strcmp(all->ranked[i]->rule->id, rule) != 0)
            continue;
        assert_null(finding);
        finding = all->ranked[i];
        assert_true(*finding->title && *finding->suggestion.text);
        assert_true(finding->percentage > 0 && finding->confidence > 0);
    }
    return finding;
}

void place_case_limits(const char *rule, void (*base)(struct place_case *run),
                       const struct place_change *changes, size_t n)
{
    struct place_case run;
    place_case_init(&run);
    base(&run);
    if (!place_case_find(&run, rule))
        fail_msg("%s does not fire", rule);
    for (size_t i = 0; i < n; i++) {
        place_case_init(&run);
        base(&run);
        changes[i].make(&run);
        if (place_case_find(&run, rule))
            fail_msg("%s fires with %s", rule, changes[i].what);
    }
    place_case_fini();
}

void place_case_fini(void)
{
    while (n_found)
        findings_free(found[--n_found]);
}

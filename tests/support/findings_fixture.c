/* SPDX-License-Identifier: MIT */
/* The findings that the tests of their formats print. */
#include "tests/support/findings_fixture.h"

#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

const struct rule findings_fixture_rule = {
    .id = "AL901",
    .name = "fixture_pool",
    .brief = "blocks of one size that come and go",
    .category = CATEGORY_ALLOCATION,
    .kind = SUGGEST_OBJECT_POOL,
    .effort = 2,
    .confidence = 0.9,
    .ceiling = SEVERITY_CRITICAL,
    .limits = {{"min_count", 1000, "blocks"}},
    .must_keep = {"the caller's check for NULL", "a block is not used after it was given back"},
    .why_same_output = "The block's address changes, its contents do not.",
    .sort = "alloc_count",
    .expect = "alloc_count of the place near 0",
    .meaning = "Blocks of one size.\n",
    .evidence = "Counts.\n",
    .when_not = "When rare.\n",
};

static const struct rule leak_rule = {
    .id = "AL902",
    .name = "fixture_leak",
    .brief = "blocks that are never freed",
    .category = CATEGORY_LEAK,
    .kind = SUGGEST_FREE_IT,
    .effort = 1,
    .confidence = 0.6,
    .ceiling = SEVERITY_HIGH,
    .why_same_output = "Nothing reads the blocks any more.",
    .expect = "leaked_bytes near 0",
    .meaning = "Leaks.\n",
    .when_not = "At exit.\n",
};

static const struct rule io_rule = {
    .id = "IO903",
    .name = "fixture_tiny_writes",
    .brief = "writes of a few bytes",
    .category = CATEGORY_IO_PATTERN,
    .kind = SUGGEST_BUFFER_IO,
    .effort = 1,
    .confidence = 0.8,
    .ceiling = SEVERITY_HIGH,
    .must_keep = {"what must be on disk before the next step"},
    .why_same_output = "The same bytes in the same order.",
    .expect = "io_calls of the place below 10",
    .meaning = "Writes.\n",
    .when_not = "Interactive output.\n",
};

/* ---- what they are about ---- */

enum { PARSE_LINE = 1, HOSTILE = 9 }; /* frames of the profile's */

static const uint32_t freed_stack[] = {PARSE_LINE, 2, 3}, elsewhere_stack[] = {HOSTILE, 3};

static const struct site_habits *habits(void)
{
    static struct freed_at places[2];
    static struct site_habits habits;
    places[0] = (struct freed_at){.n_frames = 3, .frames = freed_stack, .count = 45000};
    places[1] = (struct freed_at){.n_frames = 2, .frames = elsewhere_stack, .count = 15000};
    habits = (struct site_habits){.freed_seen_count = 60000,
                                  .freed_elsewhere_count = 15000,
                                  .slots_999 = 10,
                                  .n_freed_at = 2,
                                  .freed_at = places};
    return &habits;
}

static struct finding make_pool(const struct site *site)
{
    return (struct finding){
        .rule = &findings_fixture_rule,
        .title = "60,000 blocks of 32 B, at most 12 at a time",
        .place = {site->n_frames, site->frames, 1},
        .percentage = 66.75,
        .whole = OF_ALLOC_COUNT,
        .impact = 66.75,
        .evidence = {.metric = "alloc_count",
                     .unit = "allocations",
                     .value = 60000,
                     .count = 60000,
                     .bytes = {true, 1920000},
                     .sizes = &site->sizes,
                     .threshold = "min_count 1000",
                     .query = "heapwise report --format json demo.hwt"},
        .suggestion = {.text = "Take the blocks from a pool of 16 slots of 48 B per thread.",
                       .pool = {true, 48, 12, 16, POOL_PER_THREAD}},
        .saves = {.allocations = {true, 59988},
                  .bytes = {true, 1919616},
                  .seconds = {true, 0.0023}},
        .site = site,
        .id = "AL901-0123456789ab",
        .stack_print = "0123456789abcdef",
        .site_print = "fedcba9876543210",
        .severity = SEVERITY_CRITICAL,
        .confidence = 0.72,
        .n_reasons = 1,
        .reasons = {"the run was shorter than 1 s"},
        .score = 24.03,
        .rank = 1,
        .n_related = 1,
        .related = {"AL902-00000000000b"},
        .verify_command = "heapwise run -o new.hwt -- demo; heapwise findings --top 0 new.hwt",
        .measured =
            {true, "replay --pools", 5, {true, 0.004}, {true, 0.0015}, {true, 2e6}, {true, 1.9e6}},
    };
}

/* Bidirectional overrides, control characters, markup, links and arguments of messages. */
static struct finding make_leak(const struct site *site)
{
    return (struct finding){
        .rule = &leak_rule,
        .title = "leak in \xe2\x80\xae{0}[see](http://x) `y` <b>\033[31m\n",
        .place = {site->n_frames, site->frames, 2},
        .percentage = 12.5,
        .whole = OF_LEAKED_BYTES,
        .impact = 12.5,
        .evidence = {.metric = "leaked_bytes",
                     .unit = "bytes",
                     .value = 4096,
                     .count = 1,
                     .threshold = "",
                     .query = "heapwise report 'a\nb.hwt'"},
        .suggestion = {.text = "Free it in |x\xff|."},
        .saves = {.peak_bytes = {true, 4096}},
        .site = site,
        .id = "AL902-00000000000b",
        .stack_print = "00000000000b0000",
        .site_print = "00000000000b0001",
        .severity = SEVERITY_MEDIUM,
        .confidence = 0.5,
        .score = 6.25,
        .rank = 2,
        .verify_command = "heapwise run -- ```",
    };
}

static struct finding make_writes(const struct io_site *site)
{
    return (struct finding){
        .rule = &io_rule,
        .title = "500 writes of 64 B",
        .place = {site->n_frames, site->frames, site->place},
        .percentage = 24,
        .whole = OF_IO_CALLS,
        .impact = 3,
        .evidence = {.metric = "io_calls",
                     .unit = "calls",
                     .value = 500,
                     .count = 500,
                     .bytes = {true, 32000},
                     .sizes = &site->sizes,
                     .sampled = true,
                     .threshold = "min_count 100",
                     .query = "heapwise report demo.hwt",
                     .n_paths = 1,
                     .paths = {"/tmp/out.log"}},
        .suggestion = {.text = "Collect 64 KiB before writing.", .buffer = {true, 65536, 500, 1}},
        .saves = {.io_calls = {true, 499}, .seconds = {true, 0.0005}},
        .io_site = site,
        .id = "IO903-00000000000c",
        .stack_print = "00000000000c0000",
        .site_print = "00000000000c0001",
        .severity = SEVERITY_LOW,
        .confidence = 0.8,
        .score = 2.4,
        .rank = 3,
        .verify_command = "heapwise run -- demo",
    };
}

static struct finding make_placeless(uint32_t rank)
{
    return (struct finding){
        .rule = &leak_rule,
        .title = "something without a stack",
        .percentage = 1,
        .whole = OF_PEAK_BYTES,
        .evidence =
            {.metric = "peak_bytes", .unit = "bytes", .value = 1, .threshold = "", .query = ""},
        .suggestion = {.text = "Look at it.",
                       .arena = {true, 4096, 32, 98.5},
                       .reserve = {true, 512, 5, 480}},
        .id = "AL902-00000000000d",
        .stack_print = "00000000000d0000",
        .site_print = "00000000000d0001",
        .severity = SEVERITY_INFO,
        .confidence = 0.5,
        .rank = rank,
        .verify_command = "",
    };
}

/* ---- together ---- */

const struct findings *findings_fixture(void)
{
    static struct finding all[5];
    static struct finding *ranked[5];
    static struct site pool_site;
    static struct findings findings;
    const struct profile *const profile = profile_fixture();
    pool_site = profile->sites[0];
    pool_site.habits = habits();
    all[0] = make_pool(&pool_site);
    all[1] = make_leak(&profile->sites[4]);
    all[2] = make_writes(&profile->io_sites[0]);
    all[3] = make_placeless(4);
    all[4] = make_placeless(5);
    for (size_t i = 0; i < 5; i++)
        ranked[i] = &all[i];
    findings = (struct findings){.profile = profile,
                                 .n = 4,
                                 .ranked = ranked,
                                 .n_all = 5,
                                 .worst = SEVERITY_CRITICAL,
                                 .n_severe = {2, 1, 1, 0, 1}};
    return &findings;
}

const struct findings *findings_fixture_empty(void)
{
    static struct findings findings;
    findings.profile = profile_fixture_empty();
    return &findings;
}

const struct findings *findings_fixture_of_frame(const struct profile_frame *frame)
{
    static const uint32_t first[] = {0};
    static struct profile profile;
    static struct finding finding;
    static struct finding *ranked[] = {&finding};
    static struct findings findings;
    profile = *profile_fixture();
    profile.frames = frame;
    profile.n_frames = 1;
    finding = make_placeless(1);
    finding.title = frame->function;
    finding.suggestion.text = frame->function;
    finding.severity = SEVERITY_HIGH;
    finding.place = (struct finding_place){1, first, 0};
    findings = (struct findings){
        .profile = &profile, .n = 1, .ranked = ranked, .n_all = 1, .n_severe = {0, 0, 0, 1, 0}};
    return &findings;
}

char *findings_fixture_show(const char *format, const struct findings *findings,
                            const struct show_options *options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(show_find_format(format)->show(findings, options, out), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

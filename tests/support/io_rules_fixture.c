/* SPDX-License-Identifier: MIT */
#include "tests/support/io_rules_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const command[] = {"./work"};

#define LINE(n)                                                                                    \
    {                                                                                              \
        .function = "work", .file = "work.c", .module = "/opt/work", .offset = 16 * (n),           \
        .line = 10 * (n)                                                                           \
    }

static const struct profile_frame frames[RULES_LINES] = {LINE(1), LINE(2), LINE(3), LINE(4),
                                                         LINE(5), LINE(6), LINE(7), LINE(8)};

const uint32_t rules_frames[RULES_LINES] = {0, 1, 2, 3, 4, 5, 6, 7};

struct profile rules_run(void)
{
    return (struct profile){
        .trace_name = "work.hwt",
        .command = command,
        .n_command = 1,
        .duration_seconds = 1,
        .io_recorded = true,
        .frames = frames,
        .n_frames = RULES_LINES,
        .totals = {.duration_seconds = 1,
                   .io_calls = RULES_IO_CALLS,
                   .io_seconds = 0.1,
                   .io_read_bytes = 1 << 26,
                   .io_write_bytes = 1 << 26,
                   .alloc_count = 100000,
                   .peak_bytes = RULES_PEAK_BYTES,
                   .events = 300000},
    };
}

static void show(const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *const finding = findings->ranked[i];
        printf("%s severity %d, %.2f %%, impact %.2f: %s\n    %s\n", finding->rule->id,
               (int)finding->severity, finding->percentage, finding->impact, finding->title,
               finding->suggestion.text);
    }
}

struct findings *rules_look(const struct profile *profile, const struct findings_config *config)
{
    static const struct findings_config nothing_set = {.n_limits = 0};
    struct findings *findings;
    assert_int_equal(findings_make(profile, config ? config : &nothing_set, 0, &findings), 0);
    if (getenv("HEAPWISE_SHOW"))
        show(findings);
    return findings;
}

const struct finding *rules_pick(const struct findings *findings, const char *id)
{
    const struct finding *picked = NULL;
    for (size_t i = 0; i < findings->n; i++) {
        if (strcmp(findings->ranked[i]->rule->id, id) != 0)
            continue;
        assert_null(picked);
        picked = findings->ranked[i];
    }
    return picked;
}

bool rules_fires(const struct io_site *places, size_t n, const char *id)
{
    struct profile profile = rules_run();
    profile.io_places = places;
    profile.n_io_places = n;
    struct findings *const findings = rules_look(&profile, NULL);
    bool fires = false;
    for (size_t i = 0; i < findings->n; i++)
        fires |= strcmp(findings->ranked[i]->rule->id, id) == 0;
    findings_free(findings);
    return fires;
}

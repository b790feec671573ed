/* SPDX-License-Identifier: MIT */
/* A burst of allocations without a pause, then a block that is held for a while: its time must not be taken for that of
 * the burst. In the first rounds bursts are long and blocks held for a millisecond; then, more often, bursts of
 * a few thousand and a tenth of one. Half of the blocks at least are to show it, for other programs may hold up the
 * recorder; and none a time that is longer than it was. */
#include "victim.h"

enum { BURST = 100000, ROUNDS = 40, SHORT_BURST = 1500, SHORT_ROUNDS = 1000 };

static void burst(unsigned n)
{
    while (n-- > 0)
        free(malloc(40));
}

static void wait_until(uint64_t moment_ns)
{
    while (clock_ns() < moment_ns)
        ;
}

static void hold(uint64_t ns, uint64_t *longest_ns)
{
    const uint64_t born_ns = clock_ns();
    void *const block = malloc(100);
    wait_until(born_ns + ns);
    free(block);
    const uint64_t age_ns = clock_ns() - born_ns;
    if (age_ns > *longest_ns)
        *longest_ns = age_ns;
}

SITE static void hold_long(uint64_t *longest_ns)
{
    hold(1000000, longest_ns);
}

SITE static void hold_short(uint64_t *longest_ns)
{
    hold(100000, longest_ns);
}

int main(void)
{
    uint64_t longest_ns = 0;

    for (int i = 0; i < ROUNDS; i++) {
        burst(BURST);
        hold_long(&longest_ns);
    }
    for (int i = 0; i < SHORT_ROUNDS; i++) {
        burst(SHORT_BURST);
        hold_short(&longest_ns);
    }
    tally_add(expect_row("hold_long", "lifetime_ns.p50", AT_LEAST), 600000);
    tally_add(expect_row("hold_short", "lifetime_ns.p50", AT_LEAST), 60000);
    tally_max(expect_row("hold_long", "lifetime_ns.max", AT_MOST), longest_ns);
    expect("", "unknown_frees", 0);
    return 0;
}

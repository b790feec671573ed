/* SPDX-License-Identifier: MIT */
#include "report/io_stacks.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static bool writes(const struct io_site *site)
{
    return site->writes;
}

static void sites_that_are_kept_lead_back_to_their_own(void **state)
{
    (void)state;
    const struct profile *const profile = profile_fixture();
    struct io_stacks stacks;
    assert_int_equal(io_stacks_of_sites(profile, writes, &stacks), 0);
    assert_int_equal(stacks.profile.n_sites, 4);
    for (size_t i = 0; i < stacks.profile.n_sites; i++) {
        const struct site *const site = &stacks.profile.sites[i];
        const struct io_site *const from = io_stacks_site(&stacks.profile, site);
        assert_true(from->writes);
        assert_string_equal(site->id, from->id);
        assert_ptr_equal(site->frames, from->frames);
        assert_int_equal(site->metrics.events, from->calls);
    }
    assert_int_equal(stacks.profile.n_frames, profile->n_frames);
    io_stacks_fini(&stacks);
}

static void openers_and_slow_calls_are_stacks_as_well(void **state)
{
    (void)state;
    const struct profile *const profile = profile_fixture();
    struct io_stacks stacks;
    assert_int_equal(io_stacks_of_openers(profile, &stacks), 0);
    assert_int_equal(stacks.profile.sites[0].metrics.leaked_count, 4);
    assert_ptr_equal(io_stacks_opener(&stacks.profile, &stacks.profile.sites[1]),
                     &profile->io_openers[1]);
    io_stacks_fini(&stacks);
    assert_int_equal(io_stacks_of_slow_calls(profile, &stacks), 0);
    assert_int_equal(stacks.profile.n_sites, 3);
    assert_int_equal(stacks.profile.sites[1].place, 2);
    io_stacks_fini(&stacks);
}

static void nothing_gives_no_sites(void **state)
{
    (void)state;
    struct io_stacks stacks;
    assert_int_equal(io_stacks_of_sites(profile_fixture_empty(), NULL, &stacks), 0);
    assert_int_equal(stacks.profile.n_sites, 0);
    io_stacks_fini(&stacks);
    io_stacks_fini(&stacks); /* zeroed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_that_are_kept_lead_back_to_their_own),
        cmocka_unit_test(openers_and_slow_calls_are_stacks_as_well),
        cmocka_unit_test(nothing_gives_no_sites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

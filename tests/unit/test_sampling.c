/* SPDX-License-Identifier: MIT */
/* Which releases get a stack: one in 64, whatever the rhythm of the program is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "preload/sampling.h"

enum { N_RELEASES = 1280000, N_THREADS = 32000, N_FIRST = 40 };

struct session session;
__thread struct thread_state thread_state;

static int start(void **state)
{
    (void)state;
    memset(&session, 0, sizeof session);
    session.max_depth = 128;
    session.image_id = 1;
    sampling_forget(&thread_state);
    return 0;
}

static unsigned release(void)
{
    return sampling_is_due() ? sampling_decide() : sampling_usual();
}

static bool has_stack(void)
{
    return release() & SAMPLING_STACK;
}

static unsigned n_of(unsigned n_releases, unsigned what)
{
    unsigned n = 0;
    for (unsigned i = 0; i < n_releases; i++)
        n += (release() & what) == what;
    return n;
}

static void one_release_in_64_has_a_stack(void **state)
{
    (void)state;
    assert_in_range(n_of(N_RELEASES, SAMPLING_STACK), N_RELEASES / TRACE_FREES_SAMPLED * 98 / 100,
                    N_RELEASES / TRACE_FREES_SAMPLED * 102 / 100);
}

static void those_are_timed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_RELEASES; i++) {
        const unsigned what = release();
        assert_true(what == 0 || what == (SAMPLING_STACK | SAMPLING_TIME));
    }
}

static void no_distance_is_longer_than_127(void **state)
{
    bool met[128] = {false};
    unsigned distance = 0;
    (void)state;
    for (unsigned i = 0; i < N_RELEASES; i++) {
        distance++;
        assert_in_range(distance, 1, 127);
        if (!has_stack())
            continue;
        met[distance] = true;
        distance = 0;
    }
    for (unsigned i = 1; i < 128; i++)
        assert_true(met[i]);
}

/* Programs that free in turn: whatever the period, each gets its share. */
static void every_place_of_a_rhythm_gets_its_share(void **state)
{
    static const unsigned periods[] = {2, 3, 4, 8, 16, 31, 32, 33, 63, 64};
    (void)state;
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
        const unsigned period = periods[i], share = N_RELEASES / TRACE_FREES_SAMPLED / period;
        unsigned n[64] = {0};
        for (unsigned j = 0; j < N_RELEASES / period * period; j++)
            n[j % period] += has_stack();
        for (unsigned j = 0; j < period; j++)
            assert_in_range(n[j], share - share / 5, share + share / 5);
    }
}

/* Short threads would else never show where they free. */
static void a_threads_first_releases_are_as_likely_as_later_ones(void **state)
{
    unsigned n[N_FIRST] = {0};
    (void)state;
    for (unsigned i = 0; i < N_THREADS; i++) {
        sampling_forget(&thread_state);
        for (unsigned j = 0; j < N_FIRST; j++)
            n[j] += has_stack();
    }
    for (unsigned j = 0; j < N_FIRST; j++)
        assert_in_range(n[j], N_THREADS / TRACE_FREES_SAMPLED * 85 / 100,
                        N_THREADS / TRACE_FREES_SAMPLED * 115 / 100);
}

static void fill(bool *taken)
{
    for (unsigned i = 0; i < 1000; i++)
        taken[i] = has_stack();
}

static void the_same_run_takes_the_same_ones(void **state)
{
    bool once[1000], again[1000], second_thread[1000], other_image[1000];
    fill(once);
    sampling_forget(&thread_state);
    fill(second_thread);
    start(state);
    fill(again);
    start(state);
    session.image_id = 2;
    fill(other_image);
    assert_memory_equal(once, again, sizeof once);
    assert_memory_not_equal(once, second_thread, sizeof once);
    assert_memory_not_equal(once, other_image, sizeof once);
}

static void all_have_one_where_asked(void **state)
{
    (void)state;
    session.flags = SESSION_FREE_STACKS;
    assert_int_equal(n_of(1000, SAMPLING_STACK), 1000);
}

static void none_has_one_at_depth_zero(void **state)
{
    static const struct arch_frame caller;
    (void)state;
    session.max_depth = 0;
    assert_int_equal(n_of(1000, SAMPLING_STACK), 0);
    session.flags = SESSION_FREE_STACKS;
    assert_int_equal(n_of(1000, SAMPLING_STACK), 0);
    assert_null(sampling_caller(&caller));
    assert_true(n_of(1000, SAMPLING_TIME) > 0);
}

static void other_hooks_hand_on_the_caller_of_one_in_64(void **state)
{
    static const struct arch_frame caller;
    unsigned n = 0;
    (void)state;
    for (unsigned i = 0; i < N_RELEASES; i++) {
        const struct arch_frame *const given = sampling_caller(&caller);
        assert_true(!given || given == &caller);
        n += given != NULL;
    }
    assert_in_range(n, N_RELEASES / TRACE_FREES_SAMPLED * 98 / 100,
                    N_RELEASES / TRACE_FREES_SAMPLED * 102 / 100);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        CASE(one_release_in_64_has_a_stack),
        CASE(those_are_timed),
        CASE(no_distance_is_longer_than_127),
        CASE(every_place_of_a_rhythm_gets_its_share),
        CASE(a_threads_first_releases_are_as_likely_as_later_ones),
        CASE(the_same_run_takes_the_same_ones),
        CASE(all_have_one_where_asked),
        CASE(none_has_one_at_depth_zero),
        CASE(other_hooks_hand_on_the_caller_of_one_in_64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

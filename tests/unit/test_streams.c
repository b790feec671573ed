/* SPDX-License-Identifier: MIT */
/* Streams are addresses here: none is looked into. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "preload/streams.h"

static const FILE *file_at(uintptr_t n)
{
    return (const FILE *)(0x555500000010 + 552 * n);
}

static void calls_are_counted_until_a_transfer(void **state)
{
    uint64_t n_calls;
    uintptr_t last_pc;
    (void)state;
    struct stream *const one = streams_place(file_at(1));
    assert_non_null(one);
    assert_ptr_equal(streams_place(file_at(1)), one);
    streams_count(one, 10);
    streams_count(one, 11);
    streams_count(streams_place(file_at(2)), 12);
    assert_true(streams_take(file_at(1), &n_calls, &last_pc));
    assert_int_equal(n_calls, 2);
    assert_int_equal(last_pc, 11);
    assert_true(streams_take(file_at(1), &n_calls, &last_pc));
    assert_int_equal(n_calls, 0);
    assert_int_equal(last_pc, 11);
    assert_true(streams_take(file_at(2), &n_calls, &last_pc));
    assert_int_equal(n_calls, 1);
    streams_remove(file_at(1));
    streams_remove(file_at(2));
}

static void a_closed_stream_is_forgotten(void **state)
{
    uint64_t n_calls = 7;
    uintptr_t last_pc = 7;
    (void)state;
    struct stream *const place = streams_place(file_at(1));
    streams_count(place, 10);
    streams_remove(file_at(1));
    assert_ptr_not_equal(atomic_load(&place->file), file_at(1));
    assert_non_null(atomic_load(&place->file)); /* else a call on no stream would be on this one */
    assert_false(streams_take(file_at(1), &n_calls, &last_pc));
    assert_int_equal(n_calls + last_pc, 0);
    streams_place(file_at(1));
    assert_true(streams_take(file_at(1), &n_calls, &last_pc));
    assert_int_equal(n_calls, 0);
    streams_remove(file_at(1));
    streams_remove(file_at(1));
}

/* The table refuses rather than mixing two up; once emptied it holds as many again. */
static void a_full_table_refuses(void **state)
{
    enum { N = 4 * STREAMS_MAX };
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        unsigned n_listed = 0;
        for (uintptr_t i = 0; i < N; i++) {
            struct stream *const place = streams_place(file_at(i));
            n_listed += place != NULL;
            if (place)
                assert_ptr_equal(atomic_load(&place->file), file_at(i));
        }
        assert_in_range(n_listed, STREAMS_MAX * 9 / 10, STREAMS_MAX + STREAMS_PLACES - 1);
        for (uintptr_t i = 0; i < N; i++)
            streams_remove(file_at(i));
    }
}

static void the_first_quarter_always_finds_places(void **state)
{
    (void)state;
    for (uintptr_t i = 0; i < STREAMS_MAX / 4; i++)
        assert_non_null(streams_place(file_at(i)));
    for (uintptr_t i = 0; i < STREAMS_MAX / 4; i++)
        streams_remove(file_at(i));
}

static void no_stream_is_nobodys(void **state)
{
    (void)state;
    assert_ptr_not_equal(atomic_load(&streams_none.file), NULL);
    assert_ptr_not_equal(atomic_load(&streams_none.file), stdout);
}

enum { N_THREADS = 4, N_CALLS = 20000 };

static void *count_on_one(void *argument)
{
    for (unsigned i = 0; i < N_CALLS; i++)
        streams_count(streams_place(argument), 1);
    return NULL;
}

static void threads_on_one_stream_lose_no_call(void **state)
{
    pthread_t threads[N_THREADS];
    uint64_t n_calls;
    uintptr_t last_pc;
    (void)state;
    for (unsigned i = 0; i < N_THREADS; i++)
        pthread_create(&threads[i], NULL, count_on_one, (void *)(uintptr_t)file_at(3));
    for (unsigned i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(streams_take(file_at(3), &n_calls, &last_pc));
    assert_int_equal(n_calls, N_THREADS * N_CALLS);
    streams_remove(file_at(3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_counted_until_a_transfer),
        cmocka_unit_test(a_closed_stream_is_forgotten),
        cmocka_unit_test(a_full_table_refuses),
        cmocka_unit_test(the_first_quarter_always_finds_places),
        cmocka_unit_test(no_stream_is_nobodys),
        cmocka_unit_test(threads_on_one_stream_lose_no_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

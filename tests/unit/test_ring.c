/* SPDX-License-Identifier: MIT */
/* The ring between a writer in the program and a reader in the collector, which a second thread plays here. */
#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "preload/ring.h"
#include "preload/session.h"

enum { RING_BYTES = 4096 };

struct session
    session; /* the shim's own is not linked: these tests set up just what a ring needs */
static struct session_header header;
static struct ring shared;
static uint8_t bytes[RING_BYTES];
static struct lane lane;

static int begin(void **state)
{
    (void)state;
    memset(&session, 0, sizeof session);
    memset(&header, 0, sizeof header);
    memset(&shared, 0, sizeof shared);
    memset(&lane, 0, sizeof lane);
    session.header = &header;
    atomic_store(&header.recording, 1);
    lane.ring = &shared;
    lane.data = bytes;
    lane.ring_bytes = RING_BYTES;
    return 0;
}

static bool write_record(size_t n_bytes, uint8_t fill)
{
    uint8_t *at = ring_reserve(&lane, n_bytes);

    if (!at)
        return false;
    ring_begin_stamp(&lane);
    at[0] = (uint8_t)n_bytes;
    memset(at + 1, fill, n_bytes - 1);
    ring_publish(&lane, at + n_bytes);
    return true;
}

static void fill_up(void)
{
    while (write_record(100, 1))
        ;
}

/* What the collector does with one published record; 0 when there is none. */
static size_t take_record(uint8_t *fill_out)
{
    uint64_t tail = atomic_load_explicit(&shared.tail, memory_order_relaxed);
    const uint64_t head = atomic_load_explicit(&shared.head, memory_order_acquire);
    size_t n;

    while (tail < head && bytes[tail % RING_BYTES] == 0xc0)
        tail++;
    if (tail == head) {
        atomic_store_explicit(&shared.tail, tail, memory_order_release);
        return 0;
    }
    n = bytes[tail % RING_BYTES];
    *fill_out = bytes[tail % RING_BYTES + 1];
    for (size_t i = 1; i < n; i++)
        if (bytes[tail % RING_BYTES + i] != *fill_out)
            return SIZE_MAX;
    atomic_store_explicit(&shared.tail, tail + n, memory_order_release);
    atomic_fetch_add(&shared.tail_word, 1);
    return n;
}

static size_t size_of(uint32_t i)
{
    return 2 + i * 7919u % 190; /* below 0xc0, which is padding */
}

enum { N_RECORDS = 100000 };

static void *reader(void *result)
{
    for (uint32_t i = 0; i < N_RECORDS;) {
        uint8_t fill = 0;
        const size_t n = take_record(&fill);

        atomic_fetch_add(&header.heartbeat, 1);
        if (n == 0)
            continue;
        if (n != size_of(i) || fill != i % 100) {
            *(int *)result = 1;
            atomic_store(&header.recording, 0);
            return NULL;
        }
        i++;
    }
    return NULL;
}

static void records_arrive_whole_and_in_order(void **state)
{
    pthread_t thread;
    int broken = 0;
    (void)state;

    pthread_create(&thread, NULL, reader, &broken);
    for (uint32_t i = 0; i < N_RECORDS; i++)
        assert_true(write_record(size_of(i), i % 100));
    pthread_join(thread, NULL);
    assert_int_equal(broken, 0);
    assert_int_equal(atomic_load(&shared.in_event), 0);
}

static void a_record_never_wraps(void **state)
{
    uint8_t fill;
    (void)state;

    session.flags = SESSION_DROP_WHEN_FULL;
    for (int i = 0; i < 40; i++)
        assert_true(write_record(100, 1));
    for (int i = 0; i < 40; i++)
        assert_int_equal(take_record(&fill), 100);
    assert_true(write_record(150, 2)); /* 96 bytes are left in the lap */
    assert_int_equal(atomic_load(&shared.head), RING_BYTES + 150);
    for (size_t i = 4000; i < RING_BYTES; i++)
        assert_int_equal(bytes[i], 0xc0);
    assert_int_equal(take_record(&fill), 150);
    assert_int_equal(fill, 2);
}

static void a_full_ring_that_may_drop_refuses_at_once(void **state)
{
    (void)state;
    session.flags = SESSION_DROP_WHEN_FULL;
    fill_up();
    assert_true(atomic_load(&shared.head) > RING_BYTES - 200);
    assert_null(ring_reserve(&lane, 100));
    assert_int_equal(ring_loss_reason(), TRACE_LOSS_RING_FULL);
    ring_count_loss(&lane, TRACE_LOSS_RING_FULL, 3);
    assert_int_equal(atomic_load(&shared.n_lost[TRACE_LOSS_RING_FULL]), 3);
}

static void a_dead_collector_is_not_waited_for(void **state)
{
    (void)state;
    session.flags = SESSION_DROP_WHEN_FULL;
    fill_up();
    session.flags = 0;
    *(_Atomic uint32_t *)(void *)&header.alive = FUTEX_OWNER_DIED;
    assert_null(ring_reserve(&lane, 100));
    assert_int_equal(atomic_load(&session.collector_gone), 1);
    assert_int_equal(atomic_load(&shared.wants_room), 0);
}

static void stopped_recording_refuses(void **state)
{
    (void)state;
    session.flags = SESSION_DROP_WHEN_FULL;
    fill_up();
    session.flags = 0;
    atomic_store(&header.recording, 0);
    assert_null(ring_reserve(&lane, 100));
    assert_int_equal(ring_loss_reason(), TRACE_LOSS_STOPPED);
}

/* The collector believes nothing of ours, and we nothing of what a program may have written over. */
static void a_senseless_tail_counts_as_full(void **state)
{
    static const uint64_t tails[] = {UINT64_MAX, 1 << 20, 5000};
    (void)state;
    session.flags = SESSION_DROP_WHEN_FULL;
    fill_up();
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        atomic_store(&shared.tail, tails[i]);
        assert_null(ring_reserve(&lane, 100));
    }
}

static void a_record_too_large_is_refused(void **state)
{
    (void)state;
    assert_null(ring_reserve(&lane, RING_BYTES / 4 + 1));
    assert_non_null(ring_reserve(&lane, RING_BYTES / 4));
}

static void the_collector_is_woken_when_half_full(void **state)
{
    (void)state;
    session.flags = SESSION_DROP_WHEN_FULL;
    for (int i = 0; i < 15; i++)
        write_record(100, 1);
    assert_int_equal(atomic_load(&header.wake), 0);
    for (int i = 0; i < 15; i++)
        write_record(100, 1);
    assert_true(atomic_load(&header.wake) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(records_arrive_whole_and_in_order, begin),
        cmocka_unit_test_setup(a_record_never_wraps, begin),
        cmocka_unit_test_setup(a_full_ring_that_may_drop_refuses_at_once, begin),
        cmocka_unit_test_setup(a_dead_collector_is_not_waited_for, begin),
        cmocka_unit_test_setup(stopped_recording_refuses, begin),
        cmocka_unit_test_setup(a_senseless_tail_counts_as_full, begin),
        cmocka_unit_test_setup(a_record_too_large_is_refused, begin),
        cmocka_unit_test_setup(the_collector_is_woken_when_half_full, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

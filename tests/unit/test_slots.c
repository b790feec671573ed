/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/slots.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/fake_shim.h"

struct bench {
    struct session session;
    struct slots slots;
};

static void setup(struct bench *bench)
{
    const struct session_options options = {
        .shim_path = "/s", .main_ring_bytes = 65536, .max_file_bytes = UINT64_MAX};
    assert_int_equal(session_open(&bench->session, &options), 0);
    assert_int_equal(slots_init(&bench->slots, &bench->session), 0);
}

static void teardown(struct bench *bench)
{
    slots_fini(&bench->slots);
    session_close(&bench->session);
}

static void some_slots_are_always_free(void **state)
{
    struct bench bench;
    struct fake_thread threads[40];
    (void)state;
    setup(&bench);
    for (size_t i = 0; i < 40; i++) {
        slots_offer(&bench.slots);
        fake_claim(&threads[i], &bench.session, 1, getpid(), getpid()); /* fails if none is */
    }
    slots_offer(&bench.slots);
    assert_true(bench.slots.n_offered >= 42 && bench.slots.n_offered <= 80);
    for (size_t i = 0; i < 40; i++)
        fake_leave(&threads[i]);
    teardown(&bench);
}

static void a_short_run_pays_for_few_slots(void **state)
{
    struct bench bench;
    struct fake_thread thread;
    (void)state;
    setup(&bench);
    slots_offer(&bench.slots);
    assert_int_equal(bench.slots.n_offered, 1);
    for (unsigned i = 0; i < 3; i++) {
        slots_offer(&bench.slots);
        assert_int_equal(bench.slots.n_offered, 4); /* nobody is there yet */
    }
    fake_claim(&thread, &bench.session, 1, getpid(), getpid());
    slots_offer(&bench.slots);
    assert_int_equal(bench.slots.n_offered, 6);
    for (unsigned i = 0; i < 20; i++)
        slots_offer(&bench.slots);
    assert_int_equal(bench.slots.n_offered, 1 + 12);
    fake_leave(&thread);
    teardown(&bench);
}

static void threads_that_wait_are_counted_and_woken(void **state)
{
    struct bench bench;
    (void)state;
    setup(&bench);
    slots_offer(&bench.slots);
    const uint32_t n = bench.slots.n_offered;
    const uint32_t epoch = atomic_load(&bench.session.header->slots_epoch);
    atomic_store(&bench.session.header->slots_wanted, 5);
    slots_offer(&bench.slots);
    assert_int_equal(n, 1);
    assert_int_equal(bench.slots.n_offered, 12 + 5);
    assert_int_not_equal(atomic_load(&bench.session.header->slots_epoch), epoch);
    atomic_store(&bench.session.header->slots_wanted, UINT32_MAX); /* scribble */
    slots_offer(&bench.slots);
    assert_true(bench.slots.n_offered <= 64);
    teardown(&bench);
}

static void the_table_has_an_end(void **state)
{
    struct bench bench;
    (void)state;
    setup(&bench);
    bench.session.n_slots = 3;
    atomic_store(&bench.session.header->slots_wanted, 60);
    slots_offer(&bench.slots);
    slots_offer(&bench.slots);
    assert_int_equal(bench.slots.n_offered, 3);
    teardown(&bench);
}

static void a_claim_is_adopted_when_ready(void **state)
{
    struct bench bench;
    struct fake_thread thread;
    bool adopted;
    (void)state;
    setup(&bench);
    slots_offer(&bench.slots);
    assert_null(slots_look(&bench.slots, 0, 5, &adopted));
    fake_claim(&thread, &bench.session, 7, 100, 101);
    atomic_store(&thread.header->ready, 0);
    assert_null(slots_look(&bench.slots, thread.slot, 5, &adopted));
    atomic_store(&thread.header->ready, 1);
    struct slot *slot = slots_look(&bench.slots, thread.slot, 5, &adopted);
    assert_non_null(slot);
    assert_true(adopted);
    assert_int_equal(slot->image_id, 7);
    assert_int_equal(SLOT_PID(slot->word), 100);
    assert_int_equal(SLOT_TID(slot->word), 101);
    assert_int_equal(slot->streams[1].hold_ticks, 5);
    /* What the target writes there later changes nothing. */
    atomic_store(&bench.session.header->slots[thread.slot], 0);
    thread.header->image_id = 9;
    slot = slots_look(&bench.slots, thread.slot, 6, &adopted);
    assert_non_null(slot);
    assert_false(adopted);
    assert_int_equal(slot->image_id, 7);
    fake_leave(&thread);
    teardown(&bench);
}

static void a_slot_given_back_is_as_new(void **state)
{
    struct bench bench;
    struct fake_thread thread;
    bool adopted;
    (void)state;
    setup(&bench);
    slots_offer(&bench.slots);
    fake_claim(&thread, &bench.session, 7, 100, 101);
    fake_malloc(&thread.rings[0], 1, 1, 1);
    slots_look(&bench.slots, thread.slot, 5, &adopted);
    slots_give_back(&bench.slots, thread.slot);
    assert_int_equal(atomic_load(&thread.rings[0].ring->head), 0);
    assert_null(slots_look(&bench.slots, thread.slot, 5, &adopted));
    fake_leave(&thread);
    fake_claim(&thread, &bench.session, 8, 102, 103);
    const struct slot *const slot = slots_look(&bench.slots, thread.slot, 5, &adopted);
    assert_int_equal(slot->image_id, 8);
    assert_int_equal(slot->streams[0].tail, 0);
    fake_leave(&thread);
    teardown(&bench);
}

static void gone_means_gone(void **state)
{
    (void)state;
    const pid_t pid = fork();
    if (pid == 0) {
        alarm(20); /* should the test fail */
        pause();
        _exit(0);
    }
    assert_false(slots_thread_is_gone(SLOT_WORD(SLOT_CLAIMED, pid, pid)));
    assert_true(slots_thread_is_gone(SLOT_WORD(SLOT_CLAIMED, pid, getpid()))); /* not its thread */
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(slots_thread_is_gone(SLOT_WORD(SLOT_CLAIMED, pid, pid)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_slots_are_always_free),
        cmocka_unit_test(a_short_run_pays_for_few_slots),
        cmocka_unit_test(threads_that_wait_are_counted_and_woken),
        cmocka_unit_test(the_table_has_an_end),
        cmocka_unit_test(a_claim_is_adopted_when_ready),
        cmocka_unit_test(a_slot_given_back_is_as_new),
        cmocka_unit_test(gone_means_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/drain.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/ticks.h"
#include "tests/support/fake_shim.h"
#include "tests/support/trace_walk.h"

/* A session in this process, drained into a file of its own. */
struct bench {
    char path[64];
    struct session session;
    struct slots slots;
    struct trace_file file;
    struct tree tree;
    struct drain drain;
    struct coarse_clock clock;
};

static struct bench *setup(void)
{
    struct bench *const bench = calloc(1, sizeof *bench);
    const struct session_options options = {.shim_path = "/shim.so",
                                            .max_depth = 8,
                                            .main_ring_bytes = 65536,
                                            .max_file_bytes = UINT64_MAX};
    const struct trace_file_limits limits = {UINT64_MAX, UINT64_MAX};
    strcpy(bench->path, "/tmp/heapwise-drain-XXXXXX");
    close(mkstemp(bench->path));
    assert_int_equal(session_open(&bench->session, &options), 0);
    assert_int_equal(slots_init(&bench->slots, &bench->session), 0);
    slots_offer(&bench->slots); /* before the command runs, */
    slots_offer(&bench->slots); /* and while it starts */
    assert_int_equal(trace_file_open(&bench->file, bench->path, true, &limits), 0);
    tree_init(&bench->tree, getpid(), 16);
    bench->drain = (struct drain){.slots = &bench->slots,
                                  .out = compress_new(&bench->file),
                                  .places = places_new(),
                                  .tree = &bench->tree,
                                  .clock = &bench->clock};
    assert_int_equal(drain_init(&bench->drain), 0);
    return bench;
}

/* End the file so that it can be read. */
static void end_file(struct bench *bench)
{
    assert_int_equal(compress_end_frame(bench->drain.out), 0);
}

static void teardown(struct bench *bench)
{
    drain_fini(&bench->drain);
    compress_free(bench->drain.out);
    places_free(bench->drain.places);
    tree_fini(&bench->tree);
    trace_file_close(&bench->file);
    slots_fini(&bench->slots);
    session_close(&bench->session);
    unlink(bench->path);
    free(bench);
}

static uint64_t now(const struct bench *bench)
{
    return ticks_now(bench->session.tsc);
}

/* A pid that is no process: it has been one and was waited for. */
static int dead_pid(void)
{
    const pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    return pid;
}

static void records_arrive_with_their_numbers(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread;
    struct trace_walk walk;
    const uint64_t start = now(bench);
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    fake_image(&thread.rings[0], start, 1, getpid());
    drain_run(&bench->drain);
    for (unsigned i = 1; i <= 100; i++)
        fake_malloc(&thread.rings[0], start + i, 0x1000 * i, i);
    fake_free(&thread.rings[0], start + 101, 0x1000);
    drain_run(&bench->drain);
    end_file(bench);
    assert_int_equal(bench->drain.n_events, 101);
    trace_walk_open(&walk, bench->path);
    unsigned n = 0;
    while (trace_walk_next(&walk)) {
        if (walk.record.tag != TRACE_MALLOC)
            continue;
        n++;
        assert_int_equal(walk.record.ticks, start + n);
        assert_int_equal(walk.record.block.address, 0x1000 * n);
        assert_int_equal(walk.record.block.size_bytes, n);
    }
    assert_int_equal(n, 100);
    trace_walk_close(&walk);
    assert_int_equal(trace_walk_count(bench->path, TRACE_STREAM), 1);
    assert_int_equal(trace_walk_count(bench->path, TRACE_CHUNK), 2);
    fake_leave(&thread);
    teardown(bench);
}

static void both_rings_are_streams_of_their_own(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread;
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    fake_malloc(&thread.rings[0], now(bench), 0x10, 1);
    fake_malloc(&thread.rings[1], now(bench), 0x20, 1);
    drain_run(&bench->drain);
    drain_finish(&bench->drain);
    end_file(bench);
    assert_int_equal(trace_walk_count(bench->path, TRACE_STREAM), 2);
    assert_int_equal(trace_walk_count(bench->path, TRACE_STREAM_END), 2);
    fake_leave(&thread);
    teardown(bench);
}

static void many_laps_lose_nothing(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread;
    const uint64_t start = now(bench);
    uint64_t n = 0;
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    for (unsigned pass = 0; pass < 200; pass++) {
        for (unsigned i = 0; i < 1 + pass * 17 % 2500; i++) {
            fake_malloc(&thread.rings[0], start + n, 0x100000 + n * 4099 % 65536, n % 9000);
            n++;
        }
        drain_run(&bench->drain);
    }
    end_file(bench);
    assert_int_equal(bench->drain.n_events, n);
    assert_int_equal(trace_walk_count(bench->path, TRACE_MALLOC), n);
    assert_int_equal(trace_walk_count(bench->path, TRACE_LOST), 0);
    fake_leave(&thread);
    teardown(bench);
}

/* What a scribbling program may leave in its ring; each is written after ten good records. */
static void a_broken_ring_is_abandoned(void **state)
{
    static const struct {
        const char *bytes;
        size_t n_bytes;
    } rows[] = {
        {"\x95\x01", 2},                  /* cut short */
        {"\xc1", 1},                      /* never used in msgpack */
        {"\x90", 1},                      /* no tag */
        {"\xa3xyz", 4},                   /* no array */
        {"\x92\x45\x00", 3},              /* a record of the collector's own */
        {"\x95\x01\xa1x\x00\x00\x00", 7}, /* text for a number */
        {"\xdd\xff\xff\xff\xff\x01", 6},  /* four billion elements */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench *const bench = setup();
        struct fake_thread thread;
        fake_claim(&thread, &bench->session, 1, getpid(), getpid());
        for (unsigned j = 0; j < 10; j++)
            fake_malloc(&thread.rings[0], now(bench), 0x10, 1);
        fake_bytes(&thread.rings[0], rows[i].bytes, rows[i].n_bytes);
        drain_run(&bench->drain);
        for (unsigned j = 0; j < 10; j++)
            fake_malloc(&thread.rings[0], now(bench), 0x10, 1);
        drain_run(&bench->drain);
        end_file(bench);
        assert_int_equal(trace_walk_count(bench->path, TRACE_MALLOC), 10);
        assert_int_equal(trace_walk_count(bench->path, TRACE_LOST), 1);
        assert_int_equal(bench->drain.n_lost[TRACE_LOSS_CORRUPT], 1);
        assert_int_equal(atomic_load(&thread.rings[0].ring->tail),
                         atomic_load(&thread.rings[0].ring->head));
        fake_leave(&thread);
        teardown(bench);
    }
}

static void a_mad_head_is_not_followed(void **state)
{
    static const uint64_t heads[] = {65537, UINT64_MAX, UINT64_C(1) << 40};
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct bench *const bench = setup();
        struct fake_thread thread;
        fake_claim(&thread, &bench->session, 1, getpid(), getpid());
        atomic_store(&thread.rings[0].ring->head, heads[i]);
        drain_run(&bench->drain);
        drain_run(&bench->drain);
        assert_int_equal(bench->drain.n_lost[TRACE_LOSS_CORRUPT], 1);
        fake_leave(&thread);
        teardown(bench);
    }
}

static void random_bytes_harm_nobody_else(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread mad, sane;
    (void)state;
    srandom(7);
    fake_claim(&mad, &bench->session, 1, getpid(), getpid());
    fake_claim(&sane, &bench->session, 1, getpid(), getpid() + 1);
    for (unsigned i = 0; i < 200; i++) {
        for (size_t j = 0; j < sizeof *mad.header; j++)
            if (random() % 3 == 0)
                ((uint8_t *)mad.header)[j] = (uint8_t)random();
        for (size_t j = 0; j < 4096; j++)
            mad.rings[0].bytes[random() % 65536] = (uint8_t)random();
        fake_malloc(&sane.rings[0], now(bench), 0x10, 1);
        drain_run(&bench->drain);
        drain_write_losses(&bench->drain);
    }
    drain_finish(&bench->drain);
    end_file(bench);
    assert_true(trace_walk_count(bench->path, TRACE_MALLOC) >= 200);
    fake_leave(&mad);
    fake_leave(&sane);
    teardown(bench);
}

static void a_waiting_writer_is_called(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread;
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    fake_malloc(&thread.rings[0], now(bench), 0x10, 1);
    atomic_store(&thread.rings[0].ring->wants_room, 1);
    const uint32_t before = atomic_load(&thread.rings[0].ring->tail_word);
    drain_run(&bench->drain);
    assert_int_not_equal(atomic_load(&thread.rings[0].ring->tail_word), before);
    fake_leave(&thread);
    teardown(bench);
}

/* The tail is the collector's; what the program wrote over it does not stay. */
static void a_scribbled_tail_is_put_right(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread;
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    fake_malloc(&thread.rings[0], now(bench), 0x10, 1);
    drain_run(&bench->drain);
    struct ring *const ring = thread.rings[0].ring;
    const uint64_t tail = atomic_load(&ring->tail);
    atomic_store(&ring->wants_room, 1);
    atomic_store(&ring->tail, UINT64_MAX / 2);
    const uint32_t before = atomic_load(&ring->tail_word);
    drain_run(&bench->drain);
    assert_true(atomic_load(&ring->tail) == tail);
    assert_int_not_equal(atomic_load(&ring->tail_word), before);
    fake_leave(&thread);
    teardown(bench);
}

static uint64_t last_watermark(struct bench *bench)
{
    struct trace_walk walk;
    uint64_t ticks = 0;
    compress_flush(bench->drain.out);
    trace_walk_open(&walk, bench->path);
    while (trace_walk_next(&walk))
        if (walk.record.tag == TRACE_WATERMARK) {
            assert_true(walk.record.ticks > ticks);
            ticks = walk.record.ticks;
        }
    trace_walk_close(&walk);
    return ticks;
}

/* The second thread took its stamp before the pass and publishes after it. */
static void a_watermark_waits_for_a_writer_in_an_event(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread quick, slow;
    (void)state;
    fake_claim(&quick, &bench->session, 1, getpid(), getpid());
    fake_claim(&slow, &bench->session, 1, getpid(), getpid());
    fake_malloc(&slow.rings[0], now(bench), 0x10, 1);
    drain_run(&bench->drain);
    atomic_store(&slow.rings[0].ring->in_event, 1);
    const uint64_t stamp = now(bench);
    for (unsigned i = 0; i < 5; i++) {
        usleep(100);
        fake_malloc(&quick.rings[0], now(bench), 0x20, 1);
        drain_run(&bench->drain);
        assert_true(last_watermark(bench) <= stamp);
    }
    fake_malloc(&slow.rings[0], stamp, 0x30, 1);
    atomic_store(&slow.rings[0].ring->in_event, 0);
    fake_malloc(&quick.rings[0], now(bench), 0x20, 1);
    drain_run(&bench->drain);
    fake_malloc(&quick.rings[0], now(bench), 0x20, 1);
    drain_run(&bench->drain);
    assert_true(last_watermark(bench) > stamp);
    fake_leave(&quick);
    fake_leave(&slow);
    teardown(bench);
}

static void a_new_thread_in_an_event_holds_the_watermark(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread old, new;
    (void)state;
    fake_claim(&old, &bench->session, 1, getpid(), getpid());
    fake_malloc(&old.rings[0], now(bench), 0x10, 1);
    drain_run(&bench->drain);
    fake_malloc(&old.rings[0], now(bench), 0x10, 1);
    fake_claim(&new, &bench->session, 1, getpid(), getpid());
    atomic_store(&new.rings[0].ring->in_event, 1);
    const uint64_t stamp = now(bench);
    for (unsigned i = 0; i < 3; i++) {
        fake_malloc(&old.rings[0], now(bench), 0x10, 1);
        drain_run(&bench->drain);
        assert_true(last_watermark(bench) <= stamp);
    }
    fake_leave(&old);
    fake_leave(&new);
    teardown(bench);
}

/* A thread that shares a reading with an earlier event took it after the step of the clock that it sees. */
static void a_watermark_is_not_ahead_of_the_coarse_clock(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread;
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    const uint64_t step = now(bench);
    atomic_store(&bench->clock.ticks, step);
    for (unsigned i = 0; i < 3; i++) {
        usleep(100);
        fake_malloc(&thread.rings[0], now(bench), 0x10, 1);
        drain_run(&bench->drain);
        assert_true(last_watermark(bench) <= step);
    }
    atomic_store(&bench->clock.ticks, 0); /* it stands still */
    for (unsigned i = 0; i < 2; i++) {
        fake_malloc(&thread.rings[0], now(bench), 0x10, 1);
        drain_run(&bench->drain);
    }
    assert_true(last_watermark(bench) > step);
    fake_leave(&thread);
    teardown(bench);
}

/* Not held up any longer by a thread that was stopped in its event, it still waits for those that share. */
static void nor_where_a_stopped_writer_is_given_up(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread quick, stopped;
    (void)state;
    fake_claim(&quick, &bench->session, 1, getpid(), getpid());
    fake_claim(&stopped, &bench->session, 1, getpid(), getpid());
    fake_malloc(&stopped.rings[0], now(bench), 0x10, 1);
    drain_run(&bench->drain);
    atomic_store(&stopped.rings[0].ring->in_event, 1);
    const uint64_t stamp = now(bench);
    usleep(100);
    const uint64_t step = now(bench);
    atomic_store(&bench->clock.ticks, step);
    while (bench->drain.watermark <= stamp) {
        assert_true(compress_n_bytes(bench->drain.out) < UINT64_C(256) << 20);
        for (unsigned i = 0; i < 4000; i++)
            fake_malloc(&quick.rings[0], now(bench), 0x20, 1);
        drain_run(&bench->drain);
    }
    assert_true(bench->drain.watermark <= step);
    fake_leave(&quick);
    fake_leave(&stopped);
    teardown(bench);
}

static void a_gone_threads_slot_is_used_again(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread, next;
    const int pid = dead_pid();
    (void)state;
    fake_claim(&thread, &bench->session, 1, pid, pid);
    fake_malloc(&thread.rings[0], now(bench), 0x10, 1);
    drain_reclaim(&bench->drain, true); /* not adopted yet: nothing may be lost */
    drain_run(&bench->drain);
    fake_malloc(&thread.rings[0], now(bench), 0x10, 1);
    drain_reclaim(&bench->drain, true); /* not empty */
    assert_int_equal(SLOT_STATE(bench->session.header->slots[thread.slot]), SLOT_CLAIMED);
    drain_run(&bench->drain);
    drain_reclaim(&bench->drain, true);
    assert_int_equal(SLOT_STATE(bench->session.header->slots[thread.slot]), SLOT_FREE);
    assert_int_equal(atomic_load(&thread.header->ready), 0);
    fake_leave(&thread);
    fake_claim(&next, &bench->session, 2, getpid(), getpid());
    assert_int_equal(next.slot, thread.slot);
    fake_malloc(&next.rings[0], now(bench), 0x10, 1);
    drain_run(&bench->drain);
    end_file(bench);
    assert_int_equal(trace_walk_count(bench->path, TRACE_STREAM), 2);
    assert_int_equal(trace_walk_count(bench->path, TRACE_STREAM_END), 1);
    assert_int_equal(trace_walk_count(bench->path, TRACE_MALLOC), 3);
    fake_leave(&next);
    teardown(bench);
}

static void a_living_threads_slot_is_kept(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread;
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    drain_run(&bench->drain);
    drain_reclaim(&bench->drain, true);
    assert_int_equal(SLOT_STATE(bench->session.header->slots[thread.slot]), SLOT_CLAIMED);
    /* Nobody has seen that pid to be that process: it keeps no recording open. */
    assert_int_equal(drain_count_live(&bench->drain), 0);
    fake_leave(&thread);
    teardown(bench);
}

static void a_slot_its_thread_closed_is_used_again(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread;
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    fake_malloc(&thread.rings[0], now(bench), 0x10, 1);
    atomic_store(&thread.header->rings[0].in_event, 1); /* as one leaves it that is jumped out of */
    atomic_store(&thread.header->closed, 1);
    drain_run(&bench->drain);
    drain_reclaim(&bench->drain, true);
    assert_int_equal(SLOT_STATE(bench->session.header->slots[thread.slot]), SLOT_FREE);
    assert_int_equal(atomic_load(&thread.header->closed), 0);
    end_file(bench);
    assert_int_equal(trace_walk_count(bench->path, TRACE_MALLOC), 1);
    fake_leave(&thread);
    teardown(bench);
}

static void exec_gives_the_old_images_slot_back(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread before, after;
    (void)state;
    fake_claim(&before, &bench->session, 1, getpid(), getpid());
    fake_image(&before.rings[0], now(bench), 1, getpid());
    drain_run(&bench->drain);
    fake_claim(&after, &bench->session, 2, getpid(), getpid());
    fake_image(&after.rings[0], now(bench), 2, getpid());
    drain_run(&bench->drain);
    drain_reclaim(&bench->drain, true);
    assert_int_equal(SLOT_STATE(bench->session.header->slots[before.slot]), SLOT_FREE);
    assert_int_equal(SLOT_STATE(bench->session.header->slots[after.slot]), SLOT_CLAIMED);
    fake_leave(&before);
    fake_leave(&after);
    teardown(bench);
}

static void an_image_cannot_speak_for_another_process(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread, other;
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    fake_claim(&other, &bench->session, 2, getppid(), getppid());
    fake_image(&other.rings[0], now(bench), 900, getpid());
    drain_run(&bench->drain);
    drain_reclaim(&bench->drain, true);
    assert_int_equal(SLOT_STATE(bench->session.header->slots[thread.slot]), SLOT_CLAIMED);
    fake_leave(&thread);
    fake_leave(&other);
    teardown(bench);
}

static void losses_are_written_once(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread;
    struct trace_walk walk;
    uint64_t n_lost = 0;
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    drain_run(&bench->drain);
    atomic_store(&thread.rings[0].ring->n_lost[TRACE_LOSS_RING_FULL], 5);
    drain_write_losses(&bench->drain);
    drain_write_losses(&bench->drain);
    atomic_store(&thread.rings[0].ring->n_lost[TRACE_LOSS_RING_FULL], 7);
    atomic_store(&thread.rings[1].ring->n_lost[TRACE_LOSS_NESTED], 1);
    atomic_store(&bench->session.header->n_lost_no_slot, 100);
    drain_finish(&bench->drain);
    end_file(bench);
    trace_walk_open(&walk, bench->path);
    while (trace_walk_next(&walk))
        n_lost += walk.record.tag == TRACE_LOST ? walk.record.lost.n_events : 0;
    trace_walk_close(&walk);
    assert_int_equal(n_lost, 108);
    assert_int_equal(bench->drain.n_lost[TRACE_LOSS_RING_FULL], 7);
    fake_leave(&thread);
    teardown(bench);
}

static void discarding_empties_rings_and_counts_losses(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread thread;
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    bench->drain.discarding = true;
    fake_malloc(&thread.rings[0], now(bench), 0x10, 1);
    drain_run(&bench->drain);
    atomic_store(&thread.rings[0].ring->n_lost[TRACE_LOSS_STOPPED], 9);
    drain_finish(&bench->drain);
    end_file(bench);
    assert_int_equal(trace_walk_count(bench->path, TRACE_MALLOC), 0);
    assert_int_equal(trace_walk_count(bench->path, TRACE_LOST), 1);
    fake_leave(&thread);
    teardown(bench);
}

/* It takes back an event that was written: of those that are not, there is none to take back. */
static void an_unmap_refused_after_the_stop_is_no_loss(void **state)
{
    static const uint8_t unmap[] = {0x94, TRACE_MUNMAP, 1, 2, 3},
                         refused[] = {0x92, TRACE_MAP_FAIL, 1};
    struct bench *const bench = setup();
    struct fake_thread thread;
    (void)state;
    fake_claim(&thread, &bench->session, 1, getpid(), getpid());
    fake_bytes(&thread.rings[0], unmap, sizeof unmap);
    drain_run(&bench->drain);
    bench->drain.discarding = true;
    fake_bytes(&thread.rings[0], refused, sizeof refused);
    drain_run(&bench->drain);
    assert_int_equal(bench->drain.n_lost[TRACE_LOSS_STOPPED], 0);
    assert_int_equal(bench->drain.n_events, 1);
    fake_leave(&thread);
    teardown(bench);
}

static void code_places_are_found_across_streams(void **state)
{
    struct bench *const bench = setup();
    struct fake_thread first, second;
    const struct place *places;
    (void)state;
    fake_claim(&first, &bench->session, 1, getpid(), getpid());
    fake_claim(&second, &bench->session, 1, getpid(), getpid());
    fake_node(&first.rings[0], 1, 0, 0x5101); /* before anyone named the module */
    drain_run(&bench->drain);
    fake_module(&second.rings[0], now(bench), 0x5000, 0x6000, "/bin/x");
    drain_run(&bench->drain);
    drain_finish(&bench->drain);
    assert_int_equal(places_all(bench->drain.places, &places), 1);
    assert_int_equal(places[0].offset, 0x100);
    assert_string_equal(places_object(bench->drain.places, places[0].object)->path, "/bin/x");
    fake_leave(&first);
    fake_leave(&second);
    teardown(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_arrive_with_their_numbers),
        cmocka_unit_test(both_rings_are_streams_of_their_own),
        cmocka_unit_test(many_laps_lose_nothing),
        cmocka_unit_test(a_broken_ring_is_abandoned),
        cmocka_unit_test(a_mad_head_is_not_followed),
        cmocka_unit_test(random_bytes_harm_nobody_else),
        cmocka_unit_test(a_waiting_writer_is_called),
        cmocka_unit_test(a_scribbled_tail_is_put_right),
        cmocka_unit_test(a_watermark_waits_for_a_writer_in_an_event),
        cmocka_unit_test(a_new_thread_in_an_event_holds_the_watermark),
        cmocka_unit_test(a_watermark_is_not_ahead_of_the_coarse_clock),
        cmocka_unit_test(nor_where_a_stopped_writer_is_given_up),
        cmocka_unit_test(a_gone_threads_slot_is_used_again),
        cmocka_unit_test(a_living_threads_slot_is_kept),
        cmocka_unit_test(a_slot_its_thread_closed_is_used_again),
        cmocka_unit_test(exec_gives_the_old_images_slot_back),
        cmocka_unit_test(an_image_cannot_speak_for_another_process),
        cmocka_unit_test(losses_are_written_once),
        cmocka_unit_test(discarding_empties_rings_and_counts_losses),
        cmocka_unit_test(an_unmap_refused_after_the_stop_is_no_loss),
        cmocka_unit_test(code_places_are_found_across_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

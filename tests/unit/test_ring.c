/* SPDX-License-Identifier: MIT */
/* A ring with a test instead of the collector at its other end. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/ring.h"
#include "preload/session.h"
#include "preload/syscalls.h"

struct session session; /* ring.c compiled into this test reads and writes it */

enum { RING_BYTES = 4096 };

/* Shared memory, as in real life: some cases put a process at the other end. */
struct fixture {
    struct session_header header;
    struct ring ring;
    uint8_t data[RING_BYTES];
};
static struct fixture *shared;
static struct lane lane;

static int start_ring(void **state)
{
    (void)state;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    memset(&session, 0, sizeof session);
    session.header = &shared->header;
    shared->header.recording = 1;
    memset(&lane, 0, sizeof lane);
    lane.ring = &shared->ring;
    lane.data = shared->data;
    lane.ring_bytes = lane.room_until = RING_BYTES;
    lane.notify_at = RING_BYTES / 2;
    return 0;
}

static int end_ring(void **state)
{
    (void)state;
    return munmap(shared, sizeof *shared);
}

/* Write n bytes of one value as a record. */
static bool put(size_t n, uint8_t value)
{
    uint8_t *const room = ring_reserve(&lane, n);
    if (!room)
        return false;
    memset(room, value, n);
    ring_begin_stamp(&lane);
    ring_publish(&lane, room + n);
    return true;
}

/* What the collector does after reading. */
static void take(uint64_t n_bytes)
{
    atomic_fetch_add(&shared->ring.tail, n_bytes);
    if (atomic_load(&shared->ring.wants_room)) {
        atomic_fetch_add(&shared->ring.tail_word, 1);
        sys_futex_wake(&shared->ring.tail_word, 1);
    }
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void a_record_is_visible_once_published(void **state)
{
    (void)state;
    uint8_t *const room = ring_reserve(&lane, 9);
    assert_ptr_equal(room, shared->data);
    ring_begin_stamp(&lane);
    assert_int_equal(shared->ring.in_event, 1);
    memset(room, 7, 5);
    assert_true(shared->ring.head == 0);
    ring_publish(&lane, room + 5); /* less than reserved */
    assert_true(shared->ring.head == 5);
    assert_int_equal(shared->ring.in_event, 0);
    assert_ptr_equal(ring_reserve(&lane, 1), shared->data + 5);
}

static void the_rest_of_a_lap_is_padded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_true(put(1000, 1));
    take(4000);
    assert_true(put(100, 2)); /* 96 bytes are left of the lap */
    assert_true(shared->ring.head == RING_BYTES + 100);
    for (unsigned i = 4000; i < RING_BYTES; i++)
        assert_int_equal(shared->data[i], 0xc0);
    assert_int_equal(shared->data[0], 2);
    assert_int_equal(shared->data[99], 2);
    assert_int_equal(shared->data[100], 1);
}

static void a_record_may_end_where_the_lap_does(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_true(put(1024, (uint8_t)i));
    assert_true(shared->ring.head == RING_BYTES);
    take(1024);
    assert_true(put(1024, 9));
    assert_true(shared->ring.head == RING_BYTES + 1024);
    assert_int_equal(shared->data[0], 9);
}

static void a_full_ring_drops_when_told_to(void **state)
{
    (void)state;
    session.flags = SESSION_DROP_WHEN_FULL;
    for (unsigned i = 0; i < 4; i++)
        assert_true(put(1024, 1));
    const double start = seconds();
    assert_false(put(1, 2));
    assert_true(seconds() - start < 0.5);
    assert_int_equal(ring_loss_reason(), TRACE_LOSS_RING_FULL);
    ring_count_loss(&lane, ring_loss_reason(), 3);
    assert_true(shared->ring.n_lost[TRACE_LOSS_RING_FULL] == 3);
    take(10);
    assert_false(put(11, 2));
    assert_true(put(10, 2));
    assert_false(put(1, 2));
}

static void padding_needs_room_too(void **state)
{
    (void)state;
    session.flags = SESSION_DROP_WHEN_FULL;
    for (unsigned i = 0; i < 4; i++)
        assert_true(put(1000, 1));
    take(50);
    assert_false(put(100, 2)); /* 96 of padding and 100 are more than 146 */
    assert_true(shared->ring.head == 4000);
    take(50);
    assert_true(put(100, 2));
}

static void what_no_ring_should_hold_is_refused(void **state)
{
    (void)state;
    assert_null(ring_reserve_slow(&lane, RING_BYTES / 4 + 1));
    assert_non_null(ring_reserve_slow(&lane, RING_BYTES / 4));
}

static void a_tail_beyond_the_head_counts_as_full(void **state)
{
    (void)state;
    session.flags = SESSION_DROP_WHEN_FULL;
    for (unsigned i = 0; i < 4; i++)
        assert_true(put(1024, 1));
    shared->ring.tail = UINT64_MAX / 2;
    assert_false(put(8, 1));
}

static void nothing_is_written_once_recording_stopped(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_true(put(1024, 1));
    shared->header.recording = 0;
    assert_false(put(1, 1));
    assert_int_equal(ring_loss_reason(), TRACE_LOSS_STOPPED);
}

static void the_collector_is_called_at_half_full(void **state)
{
    (void)state;
    assert_true(put(1000, 1) && put(1000, 1));
    assert_int_equal(shared->header.wake, 0);
    assert_true(put(48, 1));
    assert_true(put(16, 1)); /* by the record after, before it may have to wait */
    assert_int_equal(shared->header.wake, 1);
    assert_true(put(16, 1)); /* again only when another eighth has come */
    assert_int_equal(shared->header.wake, 1);
}

/* ---- waiting ---- */

static void pause_milliseconds(unsigned n)
{
    const struct timespec time = {.tv_nsec = (long)n * 1000000};
    nanosleep(&time, NULL);
}

static void *take_when_wanted(void *argument)
{
    (void)argument;
    while (!atomic_load(&shared->ring.wants_room))
        pause_milliseconds(1);
    pause_milliseconds(20);
    take(100);
    return NULL;
}

static void check_waiting_for_room(void)
{
    pthread_t collector;
    for (unsigned i = 0; i < 4; i++)
        assert_true(put(1024, 1));
    pthread_create(&collector, NULL, take_when_wanted, NULL);
    assert_true(put(100, 2));
    pthread_join(collector, NULL);
    assert_int_equal(shared->data[0], 2);
    assert_int_equal(shared->ring.wants_room, 0);
}

static void a_full_ring_waits_for_room(void **state)
{
    (void)state;
    check_waiting_for_room();
    assert_true(shared->header.wake > 0); /* the collector was called */
}

static void under_a_filter_it_waits_without_calling_the_kernel(void **state)
{
    (void)state;
    session.syscalls_risky = 1;
    check_waiting_for_room();
    assert_int_equal(shared->header.wake, 0);
}

static void *stop_recording_when_wanted(void *argument)
{
    (void)argument;
    while (!atomic_load(&shared->ring.wants_room))
        pause_milliseconds(1);
    atomic_store(&shared->header.recording, 0);
    return NULL;
}

static void a_stop_ends_the_wait(void **state)
{
    pthread_t collector;
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_true(put(1024, 1));
    const double start = seconds();
    pthread_create(&collector, NULL, stop_recording_when_wanted, NULL);
    assert_false(put(100, 2));
    assert_true(seconds() - start < 1);
    pthread_join(collector, NULL);
}

/* A process that holds the `alive` mutex as the collector does, until it is killed. */
static pid_t start_collector(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared->header.alive, &attributes);
    const pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(&shared->header.alive);
        atomic_store(&shared->header.asleep, 1);
        for (;;)
            pause();
    }
    while (!atomic_load(&shared->header.asleep))
        pause_milliseconds(1);
    return child;
}

static void *kill_when_wanted(void *argument)
{
    while (!atomic_load(&shared->ring.wants_room))
        pause_milliseconds(1);
    kill(*(const pid_t *)argument, SIGKILL);
    return NULL;
}

static void a_dead_collector_is_noticed_within_a_second(void **state)
{
    pthread_t killer;
    (void)state;
    pid_t collector = start_collector();
    for (unsigned i = 0; i < 4; i++)
        assert_true(put(1024, 1));
    const double start = seconds();
    pthread_create(&killer, NULL, kill_when_wanted, &collector);
    assert_false(put(1, 1));
    assert_true(seconds() - start < 1);
    assert_int_equal(session.collector_gone, 1);
    pthread_join(killer, NULL);
    waitpid(collector, NULL, 0);
    assert_false(put(1, 1)); /* and is not waited for again */
    assert_true(seconds() - start < 1);
}

static void *beat(void *argument)
{
    const _Atomic int *const end = argument;
    while (!atomic_load(end)) {
        atomic_fetch_add(&shared->header.heartbeat, 1);
        pause_milliseconds(5);
    }
    return NULL;
}

static void note_signal(int number)
{
    (void)number;
}

/* A signal each half millisecond: as many interrupted sleeps. */
static void start_storm(void)
{
    const struct itimerval often = {.it_interval = {.tv_usec = 500}, .it_value = {.tv_usec = 500}};
    signal(SIGALRM, note_signal);
    setitimer(ITIMER_REAL, &often, NULL);
}

/* The cases that last five seconds run side by side, each in a process and a ring of its own. */
static bool gives_up(bool beats, bool storms)
{
    pthread_t collector;
    _Atomic int end = 0;
    start_ring(NULL);
    if (storms)
        start_storm();
    for (unsigned i = 0; i < 4; i++)
        put(1024, 1);
    if (beats)
        pthread_create(&collector, NULL, beat, &end);
    double start = seconds();
    const bool refused = !put(1, 1);
    const double waited_seconds = seconds() - start;
    start = seconds();
    const bool refused_again = !put(1, 1) && seconds() - start < 0.5;
    const bool remembered = beats ? lane.stuck_tail == 1 : session.stalled_at == 1;
    atomic_store(&end, 1);
    if (beats)
        pthread_join(collector, NULL);
    take(1);
    return refused && refused_again && remembered && waited_seconds > 3 && waited_seconds < 12 &&
           put(1, 1);
}

static void a_collector_without_progress_is_given_up(void **state)
{
    static const struct {
        bool beats, storms;
    } cases[] = {{false, false}, {true, false}, {false, true}};
    enum { N_CASES = sizeof cases / sizeof *cases };
    pid_t children[N_CASES];
    (void)state;
    for (unsigned i = 0; i < N_CASES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(gives_up(cases[i].beats, cases[i].storms) ? 0 : 1);
    }
    for (unsigned i = 0; i < N_CASES; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
}

/* ---- many records ---- */

enum { N_RECORDS = 2000 * 1000 };

static unsigned random_size(unsigned *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    const unsigned value = *seed >> 16;
    return 1 + (value % 100 == 0 ? value % 1000 : value % 24);
}

static void *write_many(void *argument)
{
    unsigned seed = 1;
    (void)argument;
    for (unsigned i = 0; i < N_RECORDS; i++)
        if (!put(random_size(&seed), (uint8_t)(i % 191)))
            return argument;
    return NULL;
}

/* Check one record at the tail; returns its bytes, 0 while it is not there yet. */
static uint64_t read_one(uint64_t tail, unsigned n, uint8_t value)
{
    const uint64_t head = atomic_load_explicit(&shared->ring.head, memory_order_acquire);
    const uint64_t position = tail % RING_BYTES;
    const uint64_t n_lap = RING_BYTES - position;
    uint64_t n_padding = n > n_lap ? n_lap : 0;
    if (head - tail < n_padding + n)
        return 0;
    const uint8_t *const bytes = shared->data + (n_padding ? 0 : position);
    for (uint64_t i = 0; i < n_padding; i++)
        if (shared->data[position + i] != 0xc0)
            fail_msg("byte %d of padding", (int)i);
    for (unsigned i = 0; i < n; i++)
        if (bytes[i] != value)
            fail_msg("byte %u of %u is %u, not %u", i, n, bytes[i], value);
    return n_padding + n;
}

static void millions_of_records_arrive_whole_and_in_order(void **state)
{
    pthread_t writer;
    unsigned seed = 1;
    uint64_t tail = 0;
    void *failed = NULL;
    (void)state;
    pthread_create(&writer, NULL, write_many, &seed);
    for (unsigned i = 0; i < N_RECORDS; i++) {
        const unsigned n = random_size(&seed);
        uint64_t n_read;
        while ((n_read = read_one(tail, n, (uint8_t)(i % 191))) == 0) {
            atomic_fetch_add(&shared->header.heartbeat, 1);
            sched_yield();
        }
        tail += n_read;
        take(n_read);
    }
    pthread_join(writer, &failed);
    assert_null(failed);
    assert_true(shared->ring.head == tail);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start_ring, end_ring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_record_is_visible_once_published),
        CASE(the_rest_of_a_lap_is_padded),
        CASE(a_record_may_end_where_the_lap_does),
        CASE(a_full_ring_drops_when_told_to),
        CASE(padding_needs_room_too),
        CASE(what_no_ring_should_hold_is_refused),
        CASE(a_tail_beyond_the_head_counts_as_full),
        CASE(nothing_is_written_once_recording_stopped),
        CASE(the_collector_is_called_at_half_full),
        CASE(a_full_ring_waits_for_room),
        CASE(under_a_filter_it_waits_without_calling_the_kernel),
        CASE(a_stop_ends_the_wait),
        CASE(a_dead_collector_is_noticed_within_a_second),
        cmocka_unit_test(a_collector_without_progress_is_given_up),
        CASE(millions_of_records_arrive_whole_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

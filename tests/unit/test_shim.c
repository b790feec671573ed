/* SPDX-License-Identifier: MIT */
/* The whole shim in real processes, with a session of the test's own and no collector.
 *
 * The test starts itself again under LD_PRELOAD, as one of the victims below; what the victim did is
 * read from its rings when it is gone. Sizes are marks: nobody else asks for them. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/session_memory.h"
#include "trace/io_ops.h"

enum { MARK = 70000, N_SLOTS = 8 };

/* ---- victims ---- */

static void *volatile nothing;
static void *volatile kept; /* keeps the compiler from pairing malloc with free */

static void mark(unsigned n)
{
    kept = malloc(MARK + n);
    free(kept);
}

static int pair(void)
{
    mark(1);
    return 0;
}

static int every_call(void)
{
    void *at;
    kept = calloc(2, MARK);
    free(kept);
    at = realloc(nothing, MARK + 1); /* a plain NULL the compiler makes a malloc */
    at = realloc(at, MARK + 2);
    at = reallocarray(at, MARK + 3, 1);
    kept = at;
    if (!realloc(at, SIZE_MAX / 4))
        free(kept);
    if (posix_memalign(&at, 64, MARK + 4) == 0)
        free(at);
    kept = aligned_alloc(128, 128 * 600);
    free(kept);
    at = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    at = mremap(at, 1 << 20, 1 << 21, MREMAP_MAYMOVE);
    munmap(at, 1 << 21);
    kept = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, open("/proc/self/exe", O_RDONLY), 0);
    return 0;
}

static int killed(void)
{
    for (unsigned i = 0; i < 1000; i++)
        kept = malloc(MARK + i);
    kill(getpid(), SIGKILL);
    return 0;
}

static int forks(void)
{
    mark(1);
    const pid_t child = fork();
    if (child == 0) {
        mark(2);
        _exit(7);
    }
    waitpid(child, NULL, 0);
    mark(3);
    return 0;
}

static int clones(void)
{
    const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        mark(2);
        _exit(0);
    }
    waitpid((pid_t)child, NULL, 0);
    mark(3);
    return 0;
}

static int execs(void)
{
    char *const arguments[] = {"again", "pair", NULL};
    char *const empty[] = {NULL};
    mark(2);
    execve("/does/not/exist", arguments, environ);
    execve("/proc/self/exe", arguments, empty);
    return 1;
}

static int vforks(void)
{
    char *const arguments[] = {"again", "pair", NULL};
    const pid_t child = vfork();
    if (child == 0) {
        execv("/proc/self/exe", arguments);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    mark(3);
    return 0;
}

static void *in_thread(void *argument)
{
    pthread_setname_np(pthread_self(), "renamed");
    mark((unsigned)(uintptr_t)argument);
    return NULL;
}

static int threads(void)
{
    pthread_t members[3];
    for (uintptr_t i = 0; i < 3; i++)
        pthread_create(&members[i], NULL, in_thread, (void *)(i + 1));
    for (int i = 0; i < 3; i++)
        pthread_join(members[i], NULL);
    return 0;
}

static int keeps_errno(void)
{
    errno = 77;
    mark(1);
    if (errno != 77)
        return 1;
    kept = malloc(SIZE_MAX / 4);
    return kept == NULL && errno == ENOMEM ? 0 : 2;
}

/* Everything that has a descriptor in the first 20. */
static unsigned descriptors(void)
{
    unsigned open_ones = 0;
    for (int fd = 0; fd < 20; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            open_ones |= 1u << fd;
    return open_ones;
}

static int holds_no_descriptor(void)
{
    const unsigned before = descriptors();
    mark(1);
    in_thread((void *)2);
    threads();
    return descriptors() == before && before < 8 ? 0 : 1;
}

static int opens_deep(void)
{
    mark(1);
    dlclose(dlopen("libm.so.6", RTLD_NOW | RTLD_DEEPBIND));
    return 0;
}

static int is_filtered(void)
{
    static const unsigned long strict = 1; /* SECCOMP_MODE_STRICT: read, write, exit, sigreturn */
    mark(1);
    prctl(PR_SET_SECCOMP, strict);
    kept = malloc(24); /* the main arena is there: no system call of libc's */
    free(kept);
    syscall(SYS_exit, 0);
    return 1;
}

enum { IN_HANDLER = 5000, COUNT = 10000, N_SIGNALS = 300 };
static volatile sig_atomic_t n_handled, n_open;

/* May interrupt the handler itself, and any place of the shim; never malloc, which the victim itself
 * does not call meanwhile. */
static void allocate_in_handler(int signal_number)
{
    (void)signal_number;
    if (n_open > 0 || n_handled == N_SIGNALS)
        return; /* not inside malloc of a handler */
    n_open++;
    kept = malloc(MARK + IN_HANDLER);
    free(kept);
    n_handled++;
    n_open--;
}

static int is_interrupted(void)
{
    struct sigaction action = {.sa_handler = allocate_in_handler, .sa_flags = SA_NODEFER};
    const struct itimerval often = {.it_interval.tv_usec = 30, .it_value.tv_usec = 30};
    const struct itimerval never = {.it_interval.tv_usec = 0};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (unsigned i = 0; n_handled < N_SIGNALS && i < 60000; i++)
        munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
    setitimer(ITIMER_REAL, &never, NULL);
    mark(COUNT + (unsigned)n_handled);
    return 0;
}

static char *volatile block;
static volatile sig_atomic_t n_spoilt;

static void resize_in_handler(int signal_number)
{
    (void)signal_number;
    char *const at = realloc(block, MARK + 10);
    n_spoilt += at == NULL || strcmp(at, "contents") != 0;
    block = at;
}

/* The clock starts here: a handler that came before the wait would be the one that waits, uninterrupted. */
static void *wait_for_slot(void *argument)
{
    const struct itimerval often = {.it_interval.tv_usec = 3000, .it_value.tv_usec = 3000};
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
    return argument;
}

/* A thread's very first event waits for a slot, and a handler meanwhile resizes what was there before. */
static int is_interrupted_waiting(void)
{
    pthread_t thread;
    sigset_t all;
    block = malloc(MARK);
    strcpy(block, "contents");
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    signal(SIGALRM, resize_in_handler);
    pthread_create(&thread, NULL, wait_for_slot, NULL);
    pthread_join(thread, NULL);
    return n_spoilt ? 1 : 0;
}

/* As libseccomp does to learn what the kernel can. */
static int asks_for_filters(void)
{
    const uint32_t action = SECCOMP_RET_TRACE;
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL);
    syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
    return threads();
}

static int has_no_counter(void)
{
    mark(2);
    prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
    mark(3);
    if (fork() == 0) {
        syscall(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV);
        mark(4);
        _exit(0);
    }
    wait(NULL);
    prctl(PR_SET_TSC, PR_TSC_ENABLE); /* for the exit of libraries that measure themselves */
    return 0;
}

/* One descriptor, read four times: between a child in our memory that closes it, by a forked one, and by syscall(). */
static int does_io(void)
{
    char byte;
    const int fd = open("/dev/zero", O_RDONLY);
    ssize_t n = read(fd, &byte, 1);
    if (vfork() == 0) {
        close(fd);
        _exit(0);
    }
    wait(NULL);
    n += read(fd, &byte, 1);
    if (fork() == 0) {
        n += read(fd, &byte, 1);
        mark(2);
        _exit(0);
    }
    wait(NULL);
    n += syscall(SYS_read, fd, &byte, 1L);
    mark(1);
    _exit(n == 3 ? 0 : 1);
}

static const struct victim {
    const char *name;
    int (*run)(void);
} victims[] = {
    {"pair", pair},
    {"every_call", every_call},
    {"killed", killed},
    {"forks", forks},
    {"clones", clones},
    {"execs", execs},
    {"vforks", vforks},
    {"threads", threads},
    {"keeps_errno", keeps_errno},
    {"holds_no_descriptor", holds_no_descriptor},
    {"opens_deep", opens_deep},
    {"does_io", does_io},
    {"is_filtered", is_filtered},
    {"has_no_counter", has_no_counter},
    {"asks_for_filters", asks_for_filters},
    {"is_interrupted", is_interrupted},
    {"is_interrupted_waiting", is_interrupted_waiting},
};

static int run_victim(const char *name)
{
    for (size_t i = 0; i < sizeof victims / sizeof *victims; i++)
        if (strcmp(victims[i].name, name) == 0)
            return victims[i].run();
    return 99;
}

/* ---- recording one ---- */

static struct session_memory memory;
static struct record records[1 << 18];
static size_t n_records;

static int open_memory(void **state)
{
    (void)state;
    memory = session_memory_new(N_SLOTS, 1 << 23, 1 << 20);
    strcpy(memory.header->shim_path, TEST_BUILD_ROOT "/preload/libheapwise-preload.so");
    return 0;
}

static int close_memory(void **state)
{
    (void)state;
    session_memory_free(&memory);
    return 0;
}

/* Run a victim; returns its wait status, and what it wrote to stderr. */
static int record_victim(const char *name, bool with_session, char *said_out, size_t cap)
{
    int ends[2], status = -1;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    if (child == 0) {
        char *const arguments[] = {"victim", (char *)(uintptr_t)name, NULL};
        dup2(ends[1], 2);
        dup2(ends[1], 1);
        close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
        setenv("LD_PRELOAD", memory.header->shim_path, 1);
        if (with_session)
            setenv("HEAPWISE_SESSION", memory.header->session_path, 1);
        execv("/proc/self/exe", arguments);
        _exit(98);
    }
    close(ends[1]);
    size_t n = 0;
    ssize_t got;
    while (n < cap - 1 && (got = read(ends[0], said_out + n, cap - 1 - n)) > 0)
        n += (size_t)got;
    said_out[n] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    return status;
}

static void record_quiet(const char *name, int wanted_status)
{
    char said[1024];
    const int status = record_victim(name, true, said, sizeof said);
    if (said[0] || status != wanted_status)
        fail_msg("%s: status %d, said '%s'", name, status, said);
}

static void read_slot(uint32_t slot)
{
    n_records = session_memory_records(&memory, slot, 0, records, sizeof records / sizeof *records);
}

/* The first record of a tag at or after `from`, n_records where there is none. */
static size_t find(uint8_t tag, size_t from)
{
    while (from < n_records && records[from].tag != tag)
        from++;
    return from;
}

static size_t find_size(uint64_t n_bytes)
{
    size_t at = 0;
    while (at < n_records &&
           !(record_is_allocation(records[at].tag) && records[at].block.size_bytes == n_bytes))
        at++;
    return at;
}

/* The slot whose main ring has the mark; its records are read. Fails where none has. */
static uint32_t slot_with(unsigned n)
{
    for (uint32_t slot = 0; slot < N_SLOTS; slot++) {
        if (SLOT_STATE(memory.header->slots[slot]) != SLOT_CLAIMED)
            continue;
        read_slot(slot);
        if (find_size(MARK + n) < n_records)
            return slot;
    }
    fail_msg("mark %u is in no ring", n);
    return 0;
}

static uint64_t n_lost(void)
{
    uint64_t n = memory.header->n_lost_no_slot;
    for (uint32_t slot = 0; slot < N_SLOTS; slot++)
        for (unsigned i = 0; i < 16; i++)
            n += session_memory_slot(&memory, slot)->rings[i / 8].n_lost[i % 8];
    return n;
}

static bool text_is(const struct unpack_text *text, const char *wanted)
{
    return text->n_bytes == strlen(wanted) && memcmp(text->bytes, wanted, text->n_bytes) == 0;
}

/* ---- cases ---- */

static void an_allocation_is_recorded_with_its_stack(void **state)
{
    (void)state;
    record_quiet("pair", 0);
    const uint32_t slot = slot_with(1);
    assert_int_equal(records[0].tag, TRACE_IMAGE);
    assert_int_equal(records[0].image.image_id, 1);
    assert_int_equal(records[0].image.pid, SLOT_PID(memory.header->slots[slot]));
    assert_int_equal(records[0].image.parent_image, 0);
    assert_int_equal(records[0].image.n_arguments, 2);
    assert_int_equal(records[1].tag, TRACE_THREAD);
    assert_int_equal(records[1].thread.tid, records[0].image.pid);
    const size_t at = find_size(MARK + 1);
    assert_int_equal(records[at].tag, TRACE_MALLOC);
    assert_true(records[at].block.stack > 0);
    size_t end = find(TRACE_FREE, at);
    assert_true(end < n_records && records[end].block.address == records[at].block.address);
    assert_true(records[end].ticks >= records[at].ticks);
    assert_int_equal(n_lost(), 0);
    const struct ring *const ring = &session_memory_slot(&memory, slot)->rings[0];
    assert_true(ring->n_fast > 0 && ring->n_truncated == 0);
}

static void every_call_has_its_record(void **state)
{
    static const uint8_t wanted[] = {
        TRACE_CALLOC,        TRACE_FREE,          TRACE_REALLOC_NEW,    TRACE_REALLOC_BEGIN,
        TRACE_REALLOC_END,   TRACE_REALLOC_BEGIN, TRACE_REALLOC_END,    TRACE_REALLOC_BEGIN,
        TRACE_REALLOC_FAIL,  TRACE_FREE,          TRACE_POSIX_MEMALIGN, TRACE_FREE,
        TRACE_ALIGNED_ALLOC, TRACE_FREE,          TRACE_MMAP,           TRACE_REMAP_BEGIN,
        TRACE_REMAP_END,     TRACE_MUNMAP,
    };
    (void)state;
    record_quiet("every_call", 0);
    slot_with(MARK); /* calloc(2, MARK) is one of 2 * MARK */
    size_t at = find_size(2 * MARK);
    for (size_t i = 0; i < sizeof wanted; i++, at++) {
        while (at < n_records && (records[at].tag == TRACE_NODE || records[at].tag == TRACE_MODULE))
            at++;
        if (at == n_records || records[at].tag != wanted[i])
            fail_msg("record %zu is %s, not %s", i, record_name(records[at].tag),
                     record_name(wanted[i]));
    }
    at = find(TRACE_POSIX_MEMALIGN, 0);
    assert_true(records[at].block.alignment == 64 && records[at].block.size_bytes == MARK + 4);
    at = find(TRACE_REMAP_END, 0);
    assert_true(records[at].block.size_bytes == 1 << 21);
    assert_int_equal(find(TRACE_MMAP, at), n_records); /* the mapping of a file is none of ours */
}

static void nothing_is_lost_when_the_program_is_killed(void **state)
{
    (void)state;
    record_quiet("killed", SIGKILL);
    slot_with(0);
    const size_t first = find_size(MARK);
    size_t n = 0;
    for (size_t i = first; i < n_records; i++)
        if (records[i].tag == TRACE_MALLOC)
            assert_true(records[i].block.size_bytes == MARK + n++);
    assert_int_equal(n, 1000);
}

static void a_forked_child_is_an_image_of_its_own(void **state)
{
    (void)state;
    record_quiet("forks", 0);
    const uint32_t parent = slot_with(1);
    const size_t fork_at = find(TRACE_FORK, 0), exit_at = find(TRACE_CHILD_EXIT, 0);
    assert_true(fork_at < n_records && exit_at < n_records);
    const uint32_t fork_id = records[fork_at].fork.id;
    const pid_t child_pid = records[exit_at].exit.pid;
    assert_int_equal(records[exit_at].exit.wait_status, 7 << 8);
    assert_true(find_size(MARK + 3) < n_records);
    assert_int_equal(find_size(MARK + 2), n_records);
    assert_int_not_equal(slot_with(2), parent);
    assert_int_equal(records[0].tag, TRACE_IMAGE);
    assert_int_equal(records[0].image.pid, child_pid);
    assert_int_equal(records[0].image.parent_image, 1);
    assert_int_equal(records[0].image.image_id, 2);
    assert_int_equal(records[0].image.fork_id, fork_id);
    assert_int_equal(find_size(MARK + 1), n_records);
}

static void a_fork_past_all_hooks_is_noticed(void **state)
{
    (void)state;
    record_quiet("clones", 0);
    slot_with(2);
    assert_int_equal(records[0].tag, TRACE_IMAGE);
    assert_int_equal(records[0].image.parent_image, 1);
    assert_int_equal(records[0].image.fork_id, 0);
    slot_with(3);
    assert_int_equal(records[0].image.image_id, 1);
}

static void an_exec_with_an_empty_environment_is_followed(void **state)
{
    (void)state;
    record_quiet("execs", 0);
    slot_with(2);
    const pid_t pid = records[0].image.pid;
    size_t at = find(TRACE_EXEC, 0);
    assert_true(text_is(&records[at].exec.path, "/does/not/exist"));
    at = find(TRACE_EXEC_FAIL, at);
    assert_int_equal(records[at].exec.error, ENOENT);
    at = find(TRACE_EXEC, at);
    assert_true(at < n_records && text_is(&records[at].exec.path, "/proc/self/exe"));
    slot_with(1);
    assert_int_equal(records[0].image.pid, pid);
    assert_int_equal(records[0].image.parent_image, 0);
    assert_int_equal(records[0].image.image_id, 2);
}

static void a_vforked_child_is_followed(void **state)
{
    (void)state;
    record_quiet("vforks", 0);
    slot_with(3);
    const pid_t parent = records[0].image.pid;
    const size_t exit_at = find(TRACE_CHILD_EXIT, 0);
    assert_int_equal(records[exit_at].exit.wait_status, 0);
    slot_with(1);
    assert_int_equal(records[0].image.pid, records[0].image.pid);
    assert_int_equal(records[0].image.parent_pid, parent);
}

static void children_are_left_alone_when_told_to(void **state)
{
    (void)state;
    memory.header->flags = SESSION_NO_FOLLOW;
    record_quiet("forks", 0);
    slot_with(1);
    assert_int_equal(memory.header->next_image_id, 2);
    record_quiet("execs", 0);
    assert_int_equal(memory.header->next_image_id, 3);
}

static void each_thread_has_its_ring_and_its_name(void **state)
{
    uint32_t seen = 0;
    (void)state;
    record_quiet("threads", 0);
    for (unsigned i = 1; i <= 3; i++) {
        const uint32_t slot = slot_with(i);
        const size_t renamed = find(TRACE_THREAD, 1);
        seen |= 1u << slot;
        assert_int_equal(records[0].tag, TRACE_THREAD);
        assert_true(renamed < n_records && text_is(&records[renamed].thread.name, "renamed"));
        assert_int_equal(records[0].thread.tid, SLOT_TID(memory.header->slots[slot]));
    }
    assert_int_equal(__builtin_popcount(seen), 3);
}

static void errno_and_descriptors_stay_as_they_were(void **state)
{
    (void)state;
    record_quiet("keeps_errno", 0);
    record_quiet("holds_no_descriptor", 0);
}

static void deep_binding_is_remarked(void **state)
{
    (void)state;
    record_quiet("opens_deep", 0);
    slot_with(1);
    const size_t at = find(TRACE_REMARK, 0);
    assert_true(at < n_records && records[at].remark.what == TRACE_REMARK_DEEPBIND);
    assert_true(text_is(&records[at].remark.text, "libm.so.6"));
}

static size_t count_tag(uint8_t tag)
{
    size_t n = 0;
    for (size_t i = 0; i < n_records; i++)
        n += records[i].tag == tag;
    return n;
}

static void each_process_tells_its_own_io(void **state)
{
    (void)state;
    record_quiet("does_io", 0);
    slot_with(1);
    assert_true(find(TRACE_FOLDER, 0) < n_records);
    assert_int_equal(count_tag(TRACE_FD_IS), 1);
    assert_int_equal(count_tag(TRACE_IO), 3);
    assert_int_equal(count_tag(TRACE_FD_CLOSE), 0);
    assert_int_equal(records[find(TRACE_IO, 0)].io.op, IO_READ);
    const size_t begin = find(TRACE_KERNEL_IO, 0), end = find(TRACE_KERNEL_IO, begin + 1);
    assert_int_equal(records[begin].kernel_io.moment, TRACE_KERNEL_IO_START);
    assert_int_equal(records[end].kernel_io.moment, TRACE_KERNEL_IO_END);
    slot_with(2);
    assert_int_equal(count_tag(TRACE_FD_IS), 1);
    assert_int_equal(count_tag(TRACE_IO), 1);
    assert_int_equal(count_tag(TRACE_KERNEL_IO), 3);
}

static void io_is_left_alone_when_told_to(void **state)
{
    (void)state;
    memory.header->flags = SESSION_NO_IO;
    record_quiet("does_io", 0);
    slot_with(1);
    for (uint8_t tag = TRACE_IO; tag <= TRACE_KERNEL_IO; tag++)
        assert_int_equal(count_tag(tag), 0);
}

static void a_strict_filter_is_survived(void **state)
{
    (void)state;
    record_quiet("is_filtered", 0);
    slot_with(1);
    assert_true(find_size(24) < n_records);
}

/* Times are the collector's then, but never before those of the stream itself. */
static void a_program_may_forbid_the_counter(void **state)
{
    (void)state;
    record_quiet("has_no_counter", 0);
    slot_with(2);
    const size_t before = find_size(MARK + 2), after = find_size(MARK + 3);
    assert_true(records[after].ticks >= records[before].ticks);
    slot_with(4);
    memory.header->now_ticks = UINT64_C(1) << 62;
    record_quiet("has_no_counter", 0);
    for (uint32_t slot = 0; slot < N_SLOTS; slot++) {
        read_slot(slot);
        if (find_size(MARK + 3) < n_records && records[find_size(MARK + 3)].ticks >> 62)
            return;
    }
    fail_msg("no event has the collector's time");
}

static size_t count_size(uint64_t n_bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < n_records; i++)
        n += records[i].tag == TRACE_MALLOC && records[i].block.size_bytes == n_bytes;
    return n;
}

/* No filter came of it, so threads are asked for their names at their first event, as ever. */
static void asking_for_filters_changes_nothing(void **state)
{
    (void)state;
    record_quiet("asks_for_filters", 0);
    slot_with(1);
    const size_t at = find(TRACE_THREAD, 0);
    assert_true(at < n_records && text_is(&records[at].thread.name, "renamed"));
}

/* An event that interrupts the recording of another goes to the signal ring; none is lost. */
static void handlers_that_interrupt_a_hook_are_recorded(void **state)
{
    unsigned n_handled_there = 0;
    (void)state;
    record_quiet("is_interrupted", 0);
    read_slot(0);
    for (size_t i = 0; i < n_records; i++)
        if (record_is_allocation(records[i].tag) && records[i].block.size_bytes >= MARK + COUNT)
            n_handled_there = (unsigned)records[i].block.size_bytes - MARK - COUNT;
    const size_t n_main = count_size(MARK + IN_HANDLER);
    n_records = session_memory_records(&memory, 0, 1, records, sizeof records / sizeof *records);
    const size_t n_signal = count_size(MARK + IN_HANDLER);
    assert_true(n_handled_there > 20);
    assert_int_equal(n_main + n_signal, n_handled_there);
    assert_true(n_signal > 0);
    assert_int_equal(n_lost(), 0);
}

static void a_thread_without_slot_is_counted(void **state)
{
    const uint32_t died = FUTEX_OWNER_DIED; /* so that nobody waits for a slot */
    (void)state;
    for (uint32_t i = 1; i < N_SLOTS; i++)
        memory.header->slots[i] = SLOT_WORD(SLOT_ABSENT, 0, 0);
    memcpy(&memory.header->alive, &died, sizeof died);
    record_quiet("threads", 0);
    assert_true(memory.header->n_lost_no_slot >= 6);
}

static void *stop_when_a_slot_is_wanted(void *argument)
{
    while (!atomic_load(&memory.header->slots_wanted))
        usleep(1000);
    usleep(100 * 1000);
    atomic_store(&memory.header->recording, 0);
    return argument;
}

static void a_handler_may_interrupt_the_wait_for_a_slot(void **state)
{
    pthread_t thread;
    (void)state;
    for (uint32_t i = 1; i < N_SLOTS; i++)
        memory.header->slots[i] = SLOT_WORD(SLOT_ABSENT, 0, 0);
    pthread_create(&thread, NULL, stop_when_a_slot_is_wanted, NULL);
    record_quiet("is_interrupted_waiting", 0);
    pthread_join(thread, NULL);
    assert_true(memory.header->n_lost_no_slot > 10); /* the handlers' resizes, too */
}

static void a_session_that_is_none_is_left_alone(void **state)
{
    (void)state;
    memory.header->magic++;
    record_quiet("pair", 0);
    memory.header->magic--;
    memory.header->layout_version++;
    record_quiet("pair", 0);
    memory.header->layout_version--;
    memory.header->n_slots = SESSION_MAX_SLOTS + 1;
    record_quiet("pair", 0);
    assert_int_equal(memory.header->next_image_id, 1);
}

static void without_a_session_it_says_so_and_does_nothing(void **state)
{
    char said[1024];
    (void)state;
    assert_int_equal(record_victim("pair", false, said, sizeof said), 0);
    assert_non_null(strstr(said, "heapwise run"));
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    assert_int_equal(memory.header->next_image_id, 1);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_memory, close_memory)
    const struct CMUnitTest tests[] = {
        CASE(an_allocation_is_recorded_with_its_stack),
        CASE(every_call_has_its_record),
        CASE(nothing_is_lost_when_the_program_is_killed),
        CASE(a_forked_child_is_an_image_of_its_own),
        CASE(a_fork_past_all_hooks_is_noticed),
        CASE(an_exec_with_an_empty_environment_is_followed),
        CASE(a_vforked_child_is_followed),
        CASE(children_are_left_alone_when_told_to),
        CASE(each_thread_has_its_ring_and_its_name),
        CASE(errno_and_descriptors_stay_as_they_were),
        CASE(deep_binding_is_remarked),
        CASE(each_process_tells_its_own_io),
        CASE(io_is_left_alone_when_told_to),
        CASE(a_strict_filter_is_survived),
        CASE(a_program_may_forbid_the_counter),
        CASE(asking_for_filters_changes_nothing),
        CASE(handlers_that_interrupt_a_hook_are_recorded),
        CASE(a_thread_without_slot_is_counted),
        CASE(a_handler_may_interrupt_the_wait_for_a_slot),
        CASE(a_session_that_is_none_is_left_alone),
        CASE(without_a_session_it_says_so_and_does_nothing),
    };
    if (argc > 1)
        return run_victim(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

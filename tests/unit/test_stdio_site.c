/* SPDX-License-Identifier: MIT */
/* Hooks of the test's own stand for those of stdio; what they are inside of is asked from below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <cmocka.h>

#include "preload/stdio_site.h"
#include "tests/support/lane_fixture.h"

__thread struct thread_state thread_state;
static struct slot_memory slot;
static uint8_t canary;
static const FILE *const one = (const FILE *)0x5000, *const other = (const FILE *)0x6000;

void session_start(void) {}

struct lane *session_enter_slow(uintptr_t frame)
{
    (void)frame;
    return NULL;
}

static int start(void **state)
{
    (void)state;
    slot.lanes[0].ring = lane_fixture_start(LANE_FIXTURE_BYTES)->ring;
    session.state = SESSION_ON;
    session.fork_canary = &canary;
    canary = 1;
    thread_state = (struct thread_state){.slot = &slot};
    stdio_thread = (struct stdio_thread){.stream = &streams_none};
    streams_remove(one);
    streams_remove(other);
    return 0;
}

static uint64_t n_total(void)
{
    return slot.lanes[0].ring->n_stdio_calls;
}

static uint64_t n_on(const FILE *file)
{
    uint64_t n_calls;
    uintptr_t last_pc;
    streams_take(file, &n_calls, &last_pc);
    return n_calls;
}

/* What the innermost function saw. */
static struct {
    bool is_there;
    struct arch_frame caller;
    const FILE *file;
} seen;

static __attribute__((noinline)) void look(void)
{
    seen.is_there = stdio_site(STDIO_FRAME(), &seen.caller);
    seen.file = atomic_load(&stdio_thread.stream->file);
    __asm__ volatile("" : : : "memory");
}

/* A hook on `file`, inside of which `inside` happens. */
static __attribute__((noinline)) uintptr_t hook(const FILE *file, void (*inside)(void))
{
    stdio_enter(file, STDIO_FRAME());
    const uintptr_t pc = (uintptr_t)__builtin_return_address(0);
    inside();
    stdio_leave(STDIO_FRAME());
    return pc;
}

static void the_caller_is_known_inside_and_not_after(void **state)
{
    (void)state;
    const uintptr_t pc = hook(one, look);
    assert_true(seen.is_there);
    assert_int_equal(seen.caller.pc, pc);
    assert_in_range(seen.caller.sp, (uintptr_t)__builtin_frame_address(0) - 512,
                    (uintptr_t)__builtin_frame_address(0));
    assert_int_equal(seen.caller.bp, (uintptr_t)__builtin_frame_address(0));
    look();
    assert_false(seen.is_there);
}

static void each_call_is_counted_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        hook(one, look);
    hook(other, look);
    hook(one, look);
    hook(NULL, look);
    assert_int_equal(n_total(), 6);
    assert_int_equal(n_on(one), 4);
    assert_int_equal(n_on(other), 1);
    assert_int_equal(stdio_thread.n_unlisted, 1);
}

static uintptr_t inner_pc;

static void hook_one(void)
{
    inner_pc = hook(one, look);
}

static void a_call_inside_another_on_its_stream_is_part_of_it(void **state)
{
    (void)state;
    const uintptr_t pc = hook(one, hook_one);
    assert_true(seen.is_there);
    assert_int_equal(seen.caller.pc, pc);
    assert_int_equal(n_total(), 1);
}

/* As of a signal handler, or of the functions behind a stream of the program's own. */
static void a_call_inside_another_on_another_stream_is_its_own(void **state)
{
    (void)state;
    hook(other, hook_one);
    assert_true(seen.is_there);
    assert_int_equal(seen.caller.pc, inner_pc);
    assert_ptr_equal(seen.file, one);
    assert_int_equal(n_total(), 2);
    assert_int_equal(n_on(one), 1);
    look();
    assert_false(seen.is_there);
}

static jmp_buf back;

static void jump(void)
{
    longjmp(back, 1);
}

static __attribute__((noinline)) void look_from_deep(size_t n)
{
    volatile uint8_t filler[64];
    filler[0] = filler[63] = (uint8_t)n;
    if (n > 0)
        look_from_deep(n - 1);
    else
        look();
    __asm__ volatile("" : : "r"(filler) : "memory");
}

static void a_call_left_by_a_jump_is_seen_to_be_stale(void **state)
{
    (void)state;
    if (setjmp(back) == 0)
        hook(one, jump);
    look_from_deep(8);
    assert_false(seen.is_there);
    const uintptr_t pc = hook(one, look);
    assert_true(seen.is_there);
    assert_int_equal(seen.caller.pc, pc);
    assert_int_equal(n_total(), 2);
    assert_int_equal(stdio_thread.entered_at, 0);
}

static ucontext_t here, there;

static void call_hook(void)
{
    inner_pc = hook(one, look);
    setcontext(&here);
}

/* The stack of a coroutine that was given up lay right above this one: nothing there may be read. */
static void a_frame_in_unmapped_memory_is_not_read(void **state)
{
    enum { STACK_BYTES = 16 * 4096 };
    static volatile bool is_back;
    (void)state;
    uint8_t *const memory =
        mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(memory + STACK_BYTES, STACK_BYTES);
    stdio_thread.stream = streams_place(one);
    stdio_thread.entered_at = (uintptr_t)memory + STACK_BYTES + 256;
    getcontext(&there);
    there.uc_stack = (stack_t){.ss_sp = memory, .ss_size = STACK_BYTES};
    makecontext(&there, call_hook, 0);
    is_back = false;
    getcontext(&here);
    if (!is_back) {
        is_back = true;
        setcontext(&there);
    }
    munmap(memory, STACK_BYTES);
    assert_true(seen.is_there);
    assert_int_equal(seen.caller.pc, inner_pc);
    assert_int_equal(n_total(), 1);
}

static void nothing_is_counted_where_nothing_is_recorded(void **state)
{
    (void)state;
    session.flags |= SESSION_NO_IO;
    hook(one, look);
    assert_int_equal(n_total() + n_on(one), 0);
    session.flags = 0;
    thread_in_vfork = 1;
    hook(one, look);
    thread_in_vfork = 0;
    thread_state.slot = NULL;
    thread_state.refused = true;
    hook(one, look);
    assert_int_equal(n_total() + n_on(one), 0);
}

/* What the parent counted stays in the parent's ring. */
static void a_fork_not_yet_noticed_counts_nothing(void **state)
{
    (void)state;
    hook(one, look);
    canary = 0;
    hook(one, look);
    assert_int_equal(n_total(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_caller_is_known_inside_and_not_after, start),
        cmocka_unit_test_setup(each_call_is_counted_once, start),
        cmocka_unit_test_setup(a_call_inside_another_on_its_stream_is_part_of_it, start),
        cmocka_unit_test_setup(a_call_inside_another_on_another_stream_is_its_own, start),
        cmocka_unit_test_setup(a_call_left_by_a_jump_is_seen_to_be_stale, start),
        cmocka_unit_test_setup(a_frame_in_unmapped_memory_is_not_read, start),
        cmocka_unit_test_setup(nothing_is_counted_where_nothing_is_recorded, start),
        cmocka_unit_test_setup(a_fork_not_yet_noticed_counts_nothing, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

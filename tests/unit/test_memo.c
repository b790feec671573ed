/* SPDX-License-Identifier: MIT */
/* What is kept of the stack before, and what is not. That kept stacks are right is test_unwind's. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <cmocka.h>

#include "preload/lane.h"
#include "preload/memo.h"
#include "preload/modules.h"
#include "preload/unwind.h"
#include "preload/unwind_step.h"

/* Calls and frames are to be those of the source: no tail call, no unrolled loop. */
#pragma GCC optimize("O0")
#define NOINLINE __attribute__((noinline))

_Atomic uint32_t modules_generation_now;

static struct lane lane;
static struct ring ring;

static int start(void **state)
{
    (void)state;
    memset(&lane, 0, sizeof lane);
    memset(&ring, 0, sizeof ring);
    lane.ring = &ring;
    return 0;
}

static NOINLINE void unwind_here(size_t max_depth)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    unwind_stack(&caller, &lane, max_depth);
}

static size_t n_max = 128;

static NOINLINE int descend(int depth)
{
    if (depth > 0)
        return descend(depth - 1) + 1;
    unwind_here(n_max);
    return 0;
}

/* Frames that the next stack may be compared with. */
static size_t n_kept(void)
{
    return lane.stack.n_kept + lane.stack.n_upper;
}

/* Give the stack a number, as stacktree.c would. */
static void name_it(uint32_t id)
{
    lane.stack.id = id;
}

static void the_same_stack_keeps_its_number(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        unwind_here(128); /* one place, called in a loop */
        if (i == 0)
            name_it(42);
        assert_int_equal(lane.stack.id, 42);
        assert_true(n_kept() == lane.stack.n && lane.stack.n > 2);
    }
    assert_true(ring.n_fast == 3 && ring.n_fallback == 0 && ring.n_truncated == 0);
}

static void another_stack_has_none_yet(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        const size_t n = lane.stack.n;
        name_it(42);
        descend(i);
        assert_int_equal(lane.stack.id, 0);
        assert_true(i == 0 || lane.stack.n == n + 1);
    }
}

static void a_new_generation_forgets(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        unwind_here(128);
        assert_int_equal(lane.stack.id, 0);
        name_it(42);
        modules_generation_now++;
    }
}

static void a_cut_stack_is_not_kept(void **state)
{
    (void)state;
    n_max = 5;
    for (uint64_t i = 1; i < 4; i++) {
        descend(20);
        assert_int_equal(lane.stack.n, 5);
        assert_int_equal(lane.stack.n_kept, 0);
        assert_true(ring.n_truncated == i);
    }
    /* It keeps the innermost frames: four of the recursion below, and the innermost itself. */
    assert_true(lane.stack.frames[0].at.pc == lane.stack.frames[3].at.pc);
    n_max = 128;
    descend(20);
    assert_true(lane.stack.n > 20 && n_kept() == lane.stack.n);
    assert_true(ring.n_truncated == 3);
}

/* push rbp; mov rbp, rsp; call rdi; pop rbp; ret: a frame as a compiler at run time makes it. */
static void *make_code(void)
{
    static const uint8_t code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
    void *const page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(page, MAP_FAILED);
    memcpy(page, code, sizeof code);
    assert_int_equal(mprotect(page, 4096, PROT_READ | PROT_EXEC), 0);
    return page;
}

static NOINLINE void unwind_thrice(void)
{
    for (int i = 0; i < 3; i++)
        unwind_here(128);
    descend(1);
}

/* Every stack that ends in such code says so, also those that the memo answers. */
static void a_stack_that_ends_early_is_counted_each_time(void **state)
{
    void *const page = make_code();
    void (*const run)(void (*)(void)) = (void (*)(void (*)(void)))(uintptr_t)page;
    (void)state;
    run(unwind_thrice);
    assert_true(ring.n_fast == 4);
    assert_true(ring.n_truncated == 4);
    assert_true(lane.stack.n == 4 && stack_frame_at(&lane.stack, 0)->at.pc - (uintptr_t)page < 8);
    munmap(page, 4096);
}

/* Two activations with equal pc and sp, but rbp differs and an outer CFA counts from it: the stack
 * is another. Made by hand, so that nothing but rbp differs. */
static void rbp_decides_where_an_outer_frame_needs_it(void **state)
{
    static const uintptr_t never_equal = 1;
    uintptr_t words[32] = {0};
    struct stack *const stack = &lane.stack;
    const struct unwind_walk walk = unwind_begin((uintptr_t)words, modules_generation_now);
    (void)state;
    /* As memo_walk() leaves it: outer was reached from inner, whose CFA is counted from rbp. */
    stack->n = stack->n_kept = 2;
    stack->id = 42;
    stack->frames[0] =
        (struct stack_frame){.at = {.pc = 1, .sp = (uintptr_t)&words[8]}, .n_words = 1};
    stack->frames[1] = (struct stack_frame){
        .at = {.pc = 2, .sp = (uintptr_t)&words[2], .bp = (uintptr_t)&words[6]},
        .rule = cfi_word_of((struct cfi_rule){
            .kind = CFI_RULE, .cfa_from_bp = 1, .bp_saved = 1, .bp_words = -2, .cfa_offset = 16}),
        .bp_matters = true,
        .n_words = 2,
    };
    stack->words[0] = (struct stack_word){&never_equal, 2};
    stack->words[1] = (struct stack_word){&words[7], 1};
    words[7] = 1;
    struct arch_frame caller = stack->frames[1].at;
    assert_false(memo_holds(stack, &caller, 0)); /* not seen twice */
    stack->whole = &stack->frames[1];
    assert_true(memo_holds(stack, &caller, 0));
    assert_false(memo_holds(stack, &caller, 1));
    words[7] = 3;
    assert_false(memo_holds(stack, &caller, 0));
    words[7] = 1;
    caller.bp = (uintptr_t)&words[4];
    assert_false(memo_holds(stack, &caller, 0));
    assert_int_not_equal(memo_walk(stack, &caller, &walk, 128), UNWIND_COMPLETE);
    assert_int_equal(stack->id, 0);
}

/* The same of frames that are not settled yet. */
static void rbp_decides_in_upper_frames_too(void **state)
{
    uintptr_t words[32] = {0};
    struct stack *const stack = &lane.stack;
    struct stack_frame *const upper = &stack->walked[0][TRACE_MAX_DEPTH];
    const struct unwind_walk walk = unwind_begin((uintptr_t)words, modules_generation_now);
    struct arch_frame caller = {.pc = 2, .sp = (uintptr_t)&words[2], .bp = (uintptr_t)&words[6]};
    (void)state;
    words[7] = 1;
    for (int same = 0; same < 2; same++) {
        *upper = (struct stack_frame){.at = {.pc = 1, .sp = (uintptr_t)&words[8]}};
        stack_void(stack);
        stack_put_outermost(stack, upper);
        *upper = (struct stack_frame){.at = caller,
                                      .rule = cfi_word_of((struct cfi_rule){.kind = CFI_RULE,
                                                                            .cfa_from_bp = 1,
                                                                            .bp_saved = 1,
                                                                            .bp_words = -2,
                                                                            .cfa_offset = 16})};
        upper->at.bp += same ? 0 : 8;
        stack->upper = stack->upper_outermost = upper;
        stack->upper_bp_matters = true;
        stack->n_kept = stack->n_upper = 1;
        stack->n = 2;
        name_it(42);
        memo_walk(stack, &caller, &walk, 128);
        assert_int_equal(stack->id, same ? 42 : 0);
    }
    assert_true(stack->n_kept == 2 && stack->frames[1].bp_matters);
    assert_true(memo_holds(stack, &caller, 0));
    caller.bp += 8;
    assert_false(memo_holds(stack, &caller, 0));
}

/* A signal handler may jump out of a hook for good, while a stack is being put together. */
static void a_stack_left_unfinished_shares_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        descend(10);
        const size_t n = lane.stack.n;
        assert_true(n > 10 && n_kept() == n);
        name_it(42);
        lane.stack.n_kept = 0;
        lane.stack.n_upper = n;
        descend(10);
        assert_true(lane.stack.id == 0 && lane.stack.n == n && n_kept() == n);
    }
}

/* A stack met again is settled, so that it is compared in one go from then on. */
static void frames_met_again_are_settled(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        uint64_t hash = 0;
        descend(5);
        assert_true((lane.stack.n_upper > 0) == (i == 0));
        for (size_t k = 0; k < lane.stack.n; k++)
            hash = stack_hash(hash, stack_frame_at(&lane.stack, k)->at.pc);
        assert_true(stack_innermost(&lane.stack)->hash == hash);
    }
}

static void no_caller_is_no_stack_to_keep(void **state)
{
    const struct arch_frame nobody = {.sp = (uintptr_t)__builtin_frame_address(0)};
    (void)state;
    descend(3);
    unwind_stack(&nobody, &lane, 128);
    assert_int_equal(n_kept(), 0);
    assert_true(lane.stack.n <= 1 && lane.stack.id == 0);
}

static jmp_buf back;
static bool from_nowhere;
static char own_memory[1 << 16] __attribute__((aligned(16)));

static NOINLINE void start_of_coroutine(void)
{
    unwind_here(128);
    if (from_nowhere)
        longjmp(back, 1);
}

/* Enter it at one place of the stack, with a return address of zero or from here. */
static NOINLINE void enter(bool with_zero)
{
    char *const top = own_memory + sizeof own_memory;
    from_nowhere = with_zero;
    if (with_zero && setjmp(back) == 0)
        __asm__ volatile("mov %0, %%rsp\n\tpush $0\n\tjmp *%1"
                         :
                         : "r"(top), "r"(start_of_coroutine)
                         : "memory");
    if (!with_zero)
        __asm__ volatile("mov %%rsp, %%rbx\n\tmov %0, %%rsp\n\tcall *%1\n\tmov %%rbx, %%rsp"
                         :
                         : "r"(top), "r"(start_of_coroutine)
                         : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc",
                           "memory");
}

/* The word that ended a walk is compared, too. */
static void a_coroutine_entered_from_elsewhere_is_another_stack(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) {
            enter(true);
            assert_int_equal(lane.stack.n, 1);
        }
        for (int k = 0; k < 3; k++) {
            enter(false);
            assert_true(lane.stack.n > 2);
        }
    }
    assert_true(ring.n_fast == 18 && ring.n_truncated == 0);
}

static ucontext_t outside, inside;
static char coroutine_memory[1 << 16];

static void coroutine(void)
{
    for (;;) {
        descend(3);
        swapcontext(&inside, &outside);
    }
}

/* The stack of a coroutine shares nothing with the one before; each is walked in full. */
static void a_switch_of_stacks_shares_nothing(void **state)
{
    volatile size_t n_inside = 0, n_outside = 0;
    (void)state;
    getcontext(&inside);
    inside.uc_stack = (stack_t){.ss_sp = coroutine_memory, .ss_size = sizeof coroutine_memory};
    makecontext(&inside, coroutine, 0);
    for (int i = 0; i < 3; i++) {
        swapcontext(&outside, &inside);
        assert_true(n_inside == 0 || lane.stack.n == n_inside);
        n_inside = lane.stack.n;
        descend(3);
        assert_true(n_outside == 0 || lane.stack.n == n_outside);
        n_outside = lane.stack.n;
    }
    assert_true(n_inside > 4 && n_inside < n_outside);
}

/* As the loader's resolver of lazily bound functions: its frame counts from rbx. And one that has rbx in other use, and is
 * interrupted there. */
__asm__(".text\n"
        "count_from_rbx: .cfi_startproc\n"
        "    push %rbx\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset %rbx, -16\n"
        "    mov %rsp, %rbx\n"
        "    .cfi_def_cfa_register %rbx\n"
        "    and $-64, %rsp\n"
        "    call *%rdi\n"
        "    mov %rbx, %rsp\n"
        "    .cfi_def_cfa_register %rsp\n"
        "    pop %rbx\n"
        "    .cfi_def_cfa_offset 8\n"
        "    .cfi_restore %rbx\n"
        "    ret\n"
        "    .cfi_endproc\n"
        "trap_with_other_rbx: .cfi_startproc\n"
        "    push %rbx\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset %rbx, -16\n"
        "    mov $77, %ebx\n"
        "    int3\n"
        "    pop %rbx\n"
        "    .cfi_def_cfa_offset 8\n"
        "    ret\n"
        "    .cfi_endproc\n");
void count_from_rbx(void (*function)(void));
void trap_with_other_rbx(void);

static NOINLINE void unwind_plainly(void)
{
    unwind_here(128);
}

static void unwind_on_trap(int number)
{
    (void)number;
    unwind_here(128);
}

/* The outermost frames, as many as called this function's caller, are the same as of a plain stack. */
static NOINLINE void check_whole(void (*function)(void))
{
    uintptr_t pcs[TRACE_MAX_DEPTH];
    size_t n_outer;
    unwind_here(128);
    n_outer = lane.stack.n - 1; /* the innermost is at the call in here */
    for (size_t i = 0; i < n_outer; i++)
        pcs[i] = stack_frame_at(&lane.stack, i)->at.pc;
    const uint64_t n_fallback = ring.n_fallback;
    count_from_rbx(function);
    assert_true(ring.n_fallback == n_fallback + 1 && ring.n_truncated == 0);
    assert_true(lane.stack.n > n_outer + 2);
    for (size_t i = 0; i < n_outer; i++)
        assert_true(stack_frame_at(&lane.stack, i)->at.pc == pcs[i]);
}

/* No word that is kept would tell that rbx was another one. */
static void what_counts_from_another_register_is_not_kept(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        check_whole(unwind_plainly);
        assert_int_equal(n_kept(), 0);
        assert_true(lane.stack.id == 0 && !lane.stack.whole);
    }
}

static void a_signal_may_strike_below_what_counts_from_another_register(void **state)
{
    (void)state;
    assert_true(signal(SIGTRAP, unwind_on_trap) == SIG_DFL);
    check_whole(trap_with_other_rbx);
    assert_int_equal(n_kept(), 0);
    signal(SIGTRAP, SIG_DFL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        CASE(the_same_stack_keeps_its_number),
        CASE(another_stack_has_none_yet),
        CASE(a_new_generation_forgets),
        CASE(a_cut_stack_is_not_kept),
        CASE(a_stack_that_ends_early_is_counted_each_time),
        CASE(rbp_decides_where_an_outer_frame_needs_it),
        CASE(rbp_decides_in_upper_frames_too),
        CASE(a_stack_left_unfinished_shares_nothing),
        CASE(frames_met_again_are_settled),
        CASE(no_caller_is_no_stack_to_keep),
        CASE(a_coroutine_entered_from_elsewhere_is_another_stack),
        CASE(a_switch_of_stacks_shares_nothing),
        CASE(what_counts_from_another_register_is_not_kept),
        CASE(a_signal_may_strike_below_what_counts_from_another_register),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

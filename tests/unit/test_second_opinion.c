/* SPDX-License-Identifier: MIT */
/* The judge of the unwinders, judged: a stack as it is passes, one with a fault in it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "preload/unwind.h"
#include "tests/support/second_opinion.h"

extern _Atomic uint32_t modules_generation_now;
_Atomic uint32_t modules_generation_now;

enum { DEPTH = 64 };

static struct libunwind libunwind;
static struct second_opinion second;
static uintptr_t pcs[DEPTH];

/* What is thought of the caller's stack after `spoil` had it; `is_cut` as in struct stack_claim. */
__attribute__((noinline)) static enum opinion opinion_of(void (*spoil)(struct stack_claim *),
                                                         bool is_cut)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    struct stack_claim claim = {.caller = &caller, .pcs = pcs, .is_cut = is_cut};
    enum unwind_end end;
    unw_context_t context;
    claim.n = unwind_fast(&caller, pcs, DEPTH, &end);
    assert_true(claim.n > 3);
    if (spoil)
        spoil(&claim);
    libunwind.getcontext(&context);
    second_opinion_of(&libunwind, &context, &claim, &second);
    return second.opinion;
}

static void change_innermost(struct stack_claim *claim)
{
    (void)claim;
    pcs[0]++;
}

static void change_outermost(struct stack_claim *claim)
{
    pcs[claim->n - 1]++;
}

static void leave_one_out(struct stack_claim *claim)
{
    claim->n--;
    memmove(pcs + 1, pcs + 2, (claim->n - 1) * sizeof *pcs);
}

static void end_too_soon(struct stack_claim *claim)
{
    claim->n -= 2;
}

static void go_on(struct stack_claim *claim)
{
    pcs[claim->n] = pcs[claim->n - 1];
    claim->n++;
}

static void make_empty(struct stack_claim *claim)
{
    claim->n = 0;
}

static void a_right_stack_is_equal(void **state)
{
    (void)state;
    assert_int_equal(opinion_of(NULL, false), OPINION_EQUAL);
    assert_false(second.is_interrupted);
}

static void a_cut_stack_is_equal_so_far(void **state)
{
    (void)state;
    assert_int_equal(opinion_of(end_too_soon, true), OPINION_CUT);
}

static void every_fault_is_a_difference(void **state)
{
    static void (*const spoilers[])(struct stack_claim *) = {
        change_innermost, change_outermost, leave_one_out, end_too_soon, go_on, make_empty};
    (void)state;
    for (size_t i = 0; i < sizeof spoilers / sizeof *spoilers; i++)
        assert_int_equal(opinion_of(spoilers[i], false), OPINION_DIFFERENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_stack_is_equal),
        cmocka_unit_test(a_cut_stack_is_equal_so_far),
        cmocka_unit_test(every_fault_is_a_difference),
    };
    if (!libunwind_open(&libunwind)) {
        print_message("1..0 # SKIP no libunwind\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

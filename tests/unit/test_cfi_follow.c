/* SPDX-License-Identifier: MIT */
/* One step below a signal handler, by tables written for the purpose, on a stack that is an array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "preload/cfi.h"

/* Code that is never run, with a table that is the same throughout: but for the `directives` the CFA is rsp + 8, and
 * the return address lies below it. */
#define CODE(name, directives)                                                                     \
    __asm__(".text\n.p2align 4\n" #name ":\n.cfi_startproc\n" directives                           \
            "nop\nnop\nnop\n.cfi_endproc\n");                                                      \
    extern const char name[]

enum { N_WORDS = 64, SP = 8, BP = 20 }; /* where sp and rbp point */
enum { RDX = 1, RBX = 3, RDI = 5, R8 = 8, R9 = 9, R12 = 12, R15 = 15 };

static uintptr_t words[N_WORDS];
static struct cfi_registers registers;

static uintptr_t place_of(size_t i)
{
    return (uintptr_t)&words[i];
}

/* Be in a frame of this code: rsp and rbp point into the stack, all else are numbers. */
static void begin(const char *pc, bool is_exact)
{
    for (size_t i = 0; i < N_WORDS; i++)
        words[i] = 1000 + i;
    for (size_t i = 0; i < CFI_REGISTERS; i++)
        registers.values[i] = 100 + i;
    registers.values[CFI_SP] = place_of(SP);
    registers.values[CFI_BP] = place_of(BP);
    registers.values[CFI_PC] = (uintptr_t)pc;
    registers.known = (1u << CFI_REGISTERS) - 1;
    registers.is_exact = is_exact;
}

static enum cfi_followed step(void)
{
    return cfi_follow(&registers, place_of(N_WORDS));
}

/* Step to the frame whose sp is at words[n], and whose pc lies below. */
static void step_to(size_t n)
{
    assert_int_equal(step(), CFI_FOLLOWED);
    assert_int_equal(registers.values[CFI_SP], place_of(n));
    assert_int_equal(registers.values[CFI_PC], words[n - 1]);
    assert_false(registers.is_exact);
}

static bool is_known(uint8_t number)
{
    return registers.known >> number & 1;
}

static void check_known(uint8_t number, uintptr_t value)
{
    assert_true(is_known(number));
    assert_int_equal(registers.values[number], value);
}

CODE(saves_none, "");
CODE(saves_some, ".cfi_def_cfa_offset 48\n.cfi_offset %rbx, -16\n.cfi_offset %rbp, -24\n"
                 ".cfi_offset %r15, -32\n");
CODE(saves_in_turn, ".cfi_def_cfa_offset 16\n.cfi_offset %rbx, -16\n.cfi_restore %rbx\n"
                    ".cfi_offset %r12, -16\n.cfi_remember_state\n.cfi_undefined %r12\n"
                    ".cfi_restore_state\n.cfi_undefined %r15\n");

static void what_a_frame_saved_and_what_it_kept_is_known_further_out(void **state)
{
    (void)state;
    begin(saves_none, true);
    step_to(SP + 1);
    check_known(RBX, 100 + RBX);
    check_known(CFI_BP, place_of(BP));
    check_known(R15, 100 + R15);
    check_known(R9, 100 + R9);
    begin(saves_some, true);
    step_to(SP + 6);
    check_known(RBX, words[SP + 4]);
    check_known(CFI_BP, words[SP + 3]);
    check_known(R12, 100 + R12);
    check_known(R15, words[SP + 2]);
    begin(saves_in_turn, true);
    step_to(SP + 2);
    check_known(RBX, 100 + RBX);
    check_known(R12, words[SP]);
    assert_false(is_known(R15));
}

CODE(saves_beyond, ".cfi_offset %rbx, 4096\n.cfi_offset %rbp, 4096\n");

static void a_word_outside_the_stack_tells_nothing(void **state)
{
    (void)state;
    begin(saves_beyond, true);
    step_to(SP + 1);
    assert_false(is_known(RBX));
    check_known(CFI_BP, place_of(BP)); /* what counts from it is checked then */
}

CODE(counts_from_bx, ".cfi_def_cfa %rbx, 32\n.cfi_offset %rbx, -32\n");
CODE(counts_from_r9, ".cfi_def_cfa %r9, 32\n");

/* The second is the loader's resolver of lazily bound functions. */
static void a_frame_is_left_by_any_register_that_is_known(void **state)
{
    (void)state;
    begin(saves_some, true);
    words[SP + 4] = place_of(30);
    words[SP + 5] = (uintptr_t)counts_from_bx + 1;
    step_to(SP + 6);
    step_to(34);
    check_known(RBX, words[30]);
    for (int is_lost = 0; is_lost < 2; is_lost++) {
        begin(counts_from_r9, true);
        registers.values[R9] = place_of(30);
        registers.known &= is_lost ? ~(1u << R9) : ~0u;
        assert_int_equal(step(), is_lost ? CFI_FOLLOWED_NOT : CFI_FOLLOWED);
    }
}

static void a_frame_that_leads_inwards_or_away_is_not_left(void **state)
{
    static const size_t places[] = {0, SP - 4, N_WORDS - 3};
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        begin(counts_from_bx, true);
        registers.values[RBX] = place_of(places[i]);
        assert_int_equal(step(), CFI_FOLLOWED_NOT);
        assert_int_equal(registers.values[CFI_PC], (uintptr_t)counts_from_bx);
    }
}

/* As gcc has it: the CFA is saved at rbp - 8, rbp where it points, rbx below. */
CODE(realigned, ".cfi_escape 0x0f, 3, 0x76, 0x78, 0x06\n.cfi_escape 0x10, 6, 2, 0x76, 0\n"
                ".cfi_escape 0x10, 3, 2, 0x76, 0x70\n");

static void what_an_interrupted_realigned_frame_saved_is_unknown(void **state)
{
    (void)state;
    for (int is_exact = 0; is_exact < 2; is_exact++) {
        begin(realigned + 1, is_exact);
        words[BP - 1] = place_of(40);
        step_to(40);
        check_known(CFI_BP, words[BP]);
        assert_int_equal(is_known(RBX), !is_exact);
        assert_true(is_exact || registers.values[RBX] == words[BP - 2]);
    }
}

/* The linker's: rsp + 8, and 8 more from byte 1 of the stub on. */
CODE(linkage, ".cfi_escape 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x31, 0x2a, 0x33, 0x24, 0x22\n");
/* libcrypto's: the word at rsp + 16, and the one at rsp + 16 + 8 * (r9 - 108), with 8 on top. */
CODE(stored, ".cfi_escape 0x0f, 5, 0x77, 16, 0x06, 0x23, 8\n");
CODE(indexed,
     ".cfi_escape 0x0f, 11, 0x77, 16, 0x79, 0x94, 0x7f, 0x38, 0x1e, 0x22, 0x06, 0x23, 8\n");

static void expressions_say_where_a_frame_ends(void **state)
{
    (void)state;
    begin(linkage, true);
    step_to(SP + 1);
    begin(linkage + 1, true);
    step_to(SP + 2);
    begin(stored + 1, false);
    words[SP + 2] = place_of(30);
    step_to(31);
    begin(indexed, true);
    words[SP + 3] = place_of(40);
    step_to(41);
    begin(indexed, true); /* the word is no address of the stack */
    assert_int_equal(step(), CFI_FOLLOWED_NOT);
}

CODE(of_nothing, ".cfi_escape 0x0f, 0\n");
CODE(of_two, ".cfi_escape 0x0f, 3, 0x77, 8, 0x30\n");
CODE(adds_one, ".cfi_escape 0x0f, 3, 0x77, 8, 0x22\n");
CODE(reads_none, ".cfi_escape 0x0f, 1, 0x06\n");
CODE(of_nine, ".cfi_escape 0x0f, 10, 0x77, 8, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30\n");
CODE(too_short, ".cfi_escape 0x0f, 3, 0x77, 8, 0x23\n");
CODE(never_ends, ".cfi_escape 0x0f, 3, 0x77, 0x88, 0x80\n");
CODE(of_no_register, ".cfi_escape 0x0f, 2, 0x81, 8\n");
CODE(not_understood, ".cfi_escape 0x0f, 3, 0x77, 8, 0x12\n");

static void expressions_that_make_no_sense_end_the_walk(void **state)
{
    const char *const rows[] = {of_nothing, of_two,     adds_one,       reads_none,    of_nine,
                                too_short,  never_ends, of_no_register, not_understood};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(rows[i], true);
        assert_int_equal(step(), CFI_FOLLOWED_NOT);
    }
}

CODE(returns_to_rdi, ".cfi_def_cfa_offset 0\n.cfi_register %rip, %rdi\n.cfi_register %rbx, %r8\n");
/* The CFA is the jmp_buf's place. */
CODE(jumps, ".cfi_def_cfa %rdi, 0\n.cfi_register %rsp, %r8\n.cfi_register %rbp, %r9\n"
            ".cfi_register %rip, %rdx\n.cfi_offset %rbx, 0\n");
CODE(returns_to_none, ".cfi_escape 0x09, 16, 77\n");
CODE(returns_to_itself, ".cfi_same_value %rip\n");

/* vfork(3) keeps its return address in rdi; longjmp(3) has loaded all that it goes on with. */
static void a_callers_registers_may_be_in_others(void **state)
{
    (void)state;
    begin(returns_to_rdi, true);
    assert_int_equal(step(), CFI_FOLLOWED);
    assert_int_equal(registers.values[CFI_PC], 100 + RDI);
    assert_int_equal(registers.values[CFI_SP], place_of(SP));
    check_known(RBX, 100 + R8);
    for (size_t to = SP; to < N_WORDS; to += 10) {
        begin(jumps, true);
        registers.values[RDI] = place_of(2);
        registers.values[R8] = place_of(to);
        assert_int_equal(step(), CFI_FOLLOWED);
        assert_int_equal(registers.values[CFI_PC], 100 + RDX);
        assert_int_equal(registers.values[CFI_SP], place_of(to));
        check_known(CFI_BP, 100 + R9);
        check_known(RBX, words[2]);
    }
    begin(jumps, true);
    registers.values[R8] = place_of(SP - 1);
    assert_int_equal(step(), CFI_FOLLOWED_NOT);
    begin(returns_to_rdi + 1, false);
    registers.known = 1u << CFI_SP | 1u << CFI_BP | 1u << CFI_PC;
    assert_int_equal(step(), CFI_FOLLOWED_NOT);
    begin(returns_to_none, true);
    assert_int_equal(step(), CFI_FOLLOWED_NOT);
    begin(returns_to_itself, true);
    assert_int_equal(step(), CFI_FOLLOWED_NOT);
}

CODE(has_no_caller, ".cfi_undefined %rip\n");

static void a_frame_may_be_the_outermost(void **state)
{
    (void)state;
    begin(has_no_caller, true);
    assert_int_equal(step(), CFI_FOLLOWED_TO_END);
    begin(saves_none, true);
    words[SP] = 0;
    assert_int_equal(step(), CFI_FOLLOWED_TO_END);
    begin(NULL, true);
    assert_int_equal(step(), CFI_FOLLOWED_NOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_frame_saved_and_what_it_kept_is_known_further_out),
        cmocka_unit_test(a_word_outside_the_stack_tells_nothing),
        cmocka_unit_test(a_frame_is_left_by_any_register_that_is_known),
        cmocka_unit_test(a_frame_that_leads_inwards_or_away_is_not_left),
        cmocka_unit_test(what_an_interrupted_realigned_frame_saved_is_unknown),
        cmocka_unit_test(expressions_say_where_a_frame_ends),
        cmocka_unit_test(expressions_that_make_no_sense_end_the_walk),
        cmocka_unit_test(a_callers_registers_may_be_in_others),
        cmocka_unit_test(a_frame_may_be_the_outermost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

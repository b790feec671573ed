/* SPDX-License-Identifier: MIT */
/* How a frame is followed without trusting its table: every word is read only where it lies inside the
 * stack, and what cannot be followed so ends the walk. Of expressions, the operations are understood that occur:
 * in gcc's realigned frames, the linker's procedure linkage table, the hand-written code of libcrypto. */
#include <ucontext.h>

#include "preload/cfi_program.h"

enum {
    RED_ZONE_BYTES = 128,
    UNKNOWN_STACK_BYTES = 1 << 20, /* how far a frame may lead on a stack whose end is not known */
};

struct bounds {
    uintptr_t low, high;
};

/* The frame to be left. */
struct frame {
    const struct cfi_registers *registers;
    struct bounds bounds; /* of its stack */
    struct row row;
    uintptr_t cfa;
};

static bool read_word(const struct bounds *bounds, uintptr_t address, uintptr_t *word_out)
{
    if (address < bounds->low || address > bounds->high - sizeof(uintptr_t) || address % 8 != 0)
        return false;
    *word_out = *(const uintptr_t *)address;
    return true;
}

static bool is_known(const struct cfi_registers *registers, uint8_t number)
{
    return number < CFI_REGISTERS && (registers->known >> number & 1);
}

/* ---- expressions: DWARF 5, 2.5 and 7.7.1 ---- */

enum operation {
    OP_DEREF = 0x06,
    OP_AND = 0x1a,
    OP_MUL = 0x1e,
    OP_PLUS = 0x22,
    OP_PLUS_UCONST = 0x23,
    OP_SHL = 0x24,
    OP_GE = 0x2a,
    OP_LIT0 = 0x30,
    OP_LIT31 = 0x4f,
    OP_BREG0 = 0x70,
    OP_BREG31 = 0x8f,
};

struct evaluation {
    const struct frame *frame;
    uintptr_t values[8];
    size_t n;
};

static bool push(struct evaluation *evaluation, uintptr_t value)
{
    if (evaluation->n == sizeof evaluation->values / sizeof *evaluation->values)
        return false;
    evaluation->values[evaluation->n++] = value;
    return true;
}

/* The two values on top become one. */
static bool combine(struct evaluation *evaluation, uint8_t operation)
{
    if (evaluation->n < 2)
        return false;
    const uintptr_t second = evaluation->values[--evaluation->n];
    uintptr_t *const first = &evaluation->values[evaluation->n - 1];
    switch (operation) {
    case OP_AND: *first &= second; return true;
    case OP_MUL: *first *= second; return true;
    case OP_PLUS: *first += second; return true;
    case OP_SHL: *first = second < 64 ? *first << second : 0; return true;
    case OP_GE: *first = (intptr_t)*first >= (intptr_t)second; return true;
    default: return false;
    }
}

static bool evaluate_one(struct evaluation *evaluation, struct bytes *expression)
{
    const uint8_t operation = (uint8_t)take_fixed(expression, 1);
    if (operation >= OP_LIT0 && operation <= OP_LIT31)
        return push(evaluation, operation - OP_LIT0);
    if (operation >= OP_BREG0 && operation <= OP_BREG31) {
        const uint8_t number = operation - OP_BREG0;
        const uintptr_t offset = (uintptr_t)take_sleb(expression);
        const struct cfi_registers *const registers = evaluation->frame->registers;
        return is_known(registers, number) && push(evaluation, registers->values[number] + offset);
    }
    if (operation != OP_DEREF && operation != OP_PLUS_UCONST)
        return combine(evaluation, operation);
    if (evaluation->n == 0)
        return false;
    uintptr_t *const top = &evaluation->values[evaluation->n - 1];
    if (operation == OP_DEREF)
        return read_word(&evaluation->frame->bounds, *top, top);
    *top += (uintptr_t)take_uleb(expression);
    return true;
}

static bool evaluate(const struct frame *frame, struct bytes expression, uintptr_t *value_out)
{
    struct evaluation evaluation = {.frame = frame};
    while (expression.at < expression.end)
        if (!evaluate_one(&evaluation, &expression) || expression.bad)
            return false;
    if (evaluation.n != 1)
        return false;
    *value_out = evaluation.values[0];
    return true;
}

/* ---- from a frame to its caller ---- */

static bool find_cfa(struct frame *frame)
{
    const struct row *const row = &frame->row;
    if (row->cfa_register == 0xff)
        return evaluate(frame, row->cfa_expression, &frame->cfa);
    if (!is_known(frame->registers, row->cfa_register))
        return false;
    frame->cfa = frame->registers->values[row->cfa_register] + (uintptr_t)row->cfa_offset;
    return true;
}

static bool copy_register(const struct cfi_registers *registers, uint8_t number,
                          uintptr_t *value_out)
{
    if (!is_known(registers, number))
        return false;
    *value_out = registers->values[number];
    return true;
}

/* The value of a register in the caller, where it is known. What a realigned frame saved is not where that was
 * interrupted: its table may count from an rbp that is the caller's again. */
static bool find_register(const struct frame *frame, uint8_t number, uintptr_t *value_out)
{
    const struct cfi_registers *const registers = frame->registers;
    const struct saved_register saved = frame->row.registers[number];
    const uintptr_t offset = (uintptr_t)saved.offset;
    switch (saved.how) {
    case SAVED_NOT: return copy_register(registers, number, value_out);
    case SAVED_IN_REGISTER: return copy_register(registers, (uint8_t)offset, value_out);
    case SAVED_AT_CFA: return read_word(&frame->bounds, frame->cfa + offset, value_out);
    case SAVED_AT_BP:
        return (number == CFI_BP || !registers->is_exact) &&
               read_word(&frame->bounds, registers->values[CFI_BP] + offset, value_out);
    default: return false;
    }
}

/* Where the caller goes on. Its frame lies above; it may have been reached already where the return address is in a
 * register and no word of it is needed (vfork, longjmp, which knows in another register what sp will be). */
static bool find_place(const struct frame *frame, struct cfi_registers *caller)
{
    const uintptr_t sp = frame->registers->values[CFI_SP];
    const uint32_t how = frame->row.registers[CFI_PC].how;
    const uintptr_t lowest = how == SAVED_IN_REGISTER ? sp : sp + 1;
    caller->values[CFI_SP] = frame->cfa;
    if (frame->row.registers[CFI_SP].how != SAVED_NOT &&
        !find_register(frame, CFI_SP, &caller->values[CFI_SP]))
        return false;
    return (how == SAVED_AT_CFA || how == SAVED_IN_REGISTER) && caller->values[CFI_SP] >= lowest &&
           find_register(frame, CFI_PC, &caller->values[CFI_PC]);
}

/* The caller's other registers. One that no table mentions is believed to be kept, also those that functions need not keep:
 * libcrypto counts frames from r11 over calls of its own code, which leaves that alone. A saved rbp that cannot
 * be read is not worth ending the walk for: what counts from it later is checked then. */
static void find_others(const struct frame *frame, struct cfi_registers *caller)
{
    caller->values[CFI_BP] = frame->registers->values[CFI_BP];
    caller->known = 1u << CFI_BP | 1u << CFI_SP | 1u << CFI_PC;
    for (uint8_t i = 0; i < CFI_PC; i++)
        if (i != CFI_SP && find_register(frame, i, &caller->values[i]))
            caller->known |= 1u << i;
}

static bool is_trampoline(uintptr_t pc)
{
    /* mov $15, %rax; syscall: glibc's way out of a signal handler */
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    return memcmp((const void *)pc, code, sizeof code) == 0;
}

/* The frame below which a handler ran: the kernel put all registers into a ucontext at sp. */
static void take_interrupted(struct cfi_registers *registers)
{
    static const uint8_t greg_of[CFI_REGISTERS] = {
        REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
        REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    const ucontext_t *const context = (const ucontext_t *)registers->values[CFI_SP];
    for (size_t i = 0; i < CFI_REGISTERS; i++)
        registers->values[i] = (uintptr_t)context->uc_mcontext.gregs[greg_of[i]];
    registers->known = (1u << CFI_REGISTERS) - 1;
    registers->is_exact = true;
}

enum cfi_followed cfi_follow(struct cfi_registers *registers, uintptr_t limit)
{
    const uintptr_t sp = registers->values[CFI_SP];
    const uintptr_t high = limit == UINTPTR_MAX ? sp + UNKNOWN_STACK_BYTES : limit;
    const uintptr_t pc = registers->values[CFI_PC] - (registers->is_exact ? 0 : 1);
    struct frame frame = {.registers = registers,
                          .bounds = {.low = sp - RED_ZONE_BYTES, .high = high}};
    struct cfi_registers caller = {.is_exact = false};
    struct fde fde;
    if (!cfi_read_fde(pc, &fde))
        return cfi_find(pc).kind == CFI_NONE ? CFI_FOLLOWED_TO_END : CFI_FOLLOWED_NOT;
    if (fde.cie.is_signal_frame && is_trampoline(registers->values[CFI_PC])) {
        take_interrupted(registers);
        return CFI_FOLLOWED;
    }
    if (fde.cie.bad || fde.cie.is_signal_frame || !cfi_run(&fde, pc, &frame.row))
        return CFI_FOLLOWED_NOT;
    if (frame.row.registers[CFI_PC].how == SAVED_UNDEFINED)
        return CFI_FOLLOWED_TO_END;
    if (!find_cfa(&frame) || !find_place(&frame, &caller))
        return CFI_FOLLOWED_NOT;
    find_others(&frame, &caller);
    *registers = caller;
    return caller.values[CFI_PC] ? CFI_FOLLOWED : CFI_FOLLOWED_TO_END;
}

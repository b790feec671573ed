/* SPDX-License-Identifier: MIT */
/* How a frame is followed without trusting its table: every word is read only where it lies inside the
 * stack, and what cannot be followed so ends the walk. Of expressions, the ones that compilers and
 * linkers emit are understood: gcc's realigned frames and the linker's procedure linkage table. */
#include <ucontext.h>

#include "preload/cfi_program.h"

enum {
    RED_ZONE_BYTES = 128,
    UNKNOWN_STACK_BYTES = 1 << 20, /* how far a frame may lead on a stack whose end is not known */
    OP_DEREF = 0x06,
};

struct bounds {
    uintptr_t low, high;
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

/* The CFA of a realigned frame: the word at rbp plus n. */
static bool evaluate_realigned(struct bytes expression, const struct cfi_registers *registers,
                               const struct bounds *bounds, uintptr_t *cfa_out)
{
    int64_t offset;
    return take_bp_plus(&expression, &offset) && take_fixed(&expression, 1) == OP_DEREF &&
           expression.at == expression.end && !expression.bad &&
           read_word(bounds, registers->values[CFI_BP] + (uintptr_t)offset, cfa_out);
}

/* The linkage table's: rsp plus 8, and 8 more once the stub has pushed its index. */
static bool evaluate_linkage(struct bytes expression, uintptr_t pc,
                             const struct cfi_registers *registers, uintptr_t *cfa_out)
{
    /* breg7 8, breg16 0, lit15, and, lit<n>, ge, lit3, shl, plus */
    static const uint8_t stub[] = {0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x30, 0x2a, 0x33, 0x24, 0x22};
    enum { THRESHOLD = 6 };
    if ((size_t)(expression.end - expression.at) != sizeof stub)
        return false;
    for (size_t i = 0; i < sizeof stub; i++)
        if (i != THRESHOLD && expression.at[i] != stub[i])
            return false;
    const bool pushed = (pc & 15) >= (uintptr_t)(expression.at[THRESHOLD] - stub[THRESHOLD]);
    *cfa_out = registers->values[CFI_SP] + (pushed ? 16 : 8);
    return true;
}

static bool evaluate_cfa(const struct row *row, uintptr_t pc, const struct cfi_registers *registers,
                         const struct bounds *bounds, uintptr_t *cfa_out)
{
    if (is_known(registers, row->cfa_register)) {
        *cfa_out = registers->values[row->cfa_register] + (uintptr_t)row->cfa_offset;
        return true;
    }
    return row->cfa_register == 0xff &&
           (evaluate_linkage(row->cfa_expression, pc, registers, cfa_out) ||
            evaluate_realigned(row->cfa_expression, registers, bounds, cfa_out));
}

/* Tell whether a register of the caller is known, and its value. What a realigned frame saved is not, where it was
 * interrupted: its table may count from an rbp that is the caller's again. */
static bool find_callers(const struct cfi_registers *registers, uint8_t number,
                         struct saved_register saved, const struct bounds *bounds, uintptr_t cfa,
                         uintptr_t *value_out)
{
    const uintptr_t offset = (uintptr_t)saved.offset;
    switch (saved.how) {
    case SAVED_NOT: *value_out = registers->values[number]; return is_known(registers, number);
    case SAVED_AT_CFA: return read_word(bounds, cfa + offset, value_out);
    case SAVED_AT_BP:
        return (number == CFI_BP || !registers->is_exact) &&
               read_word(bounds, registers->values[CFI_BP] + offset, value_out);
    default: return false;
    }
}

/* The caller's registers, but for its pc and sp: those that functions keep, as others are lost in a call. A saved rbp that
 * cannot be read is not worth ending the walk for: what counts from it later is checked then. */
static void take_callers(const struct row *row, const struct bounds *bounds, uintptr_t cfa,
                         struct cfi_registers *registers)
{
    static const uint8_t kept[] = {CFI_BX, 12, 13, 14, 15, CFI_BP}; /* AMD64 ABI, figure 3.4 */
    uint32_t known = 1u << CFI_BP | 1u << CFI_SP;
    for (size_t i = 0; i < sizeof kept; i++) /* rbp last: the others are found by it */
        if (find_callers(registers, kept[i], row->registers[kept[i]], bounds, cfa,
                         &registers->values[kept[i]]))
            known |= 1u << kept[i];
    registers->known = known;
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
    const struct bounds bounds = {.low = sp - RED_ZONE_BYTES, .high = high};
    const uintptr_t pc = registers->values[CFI_PC] - (registers->is_exact ? 0 : 1);
    struct fde fde;
    struct row row;
    uintptr_t cfa, return_address;
    if (!cfi_read_fde(pc, &fde))
        return cfi_find(pc).kind == CFI_NONE ? CFI_FOLLOWED_TO_END : CFI_FOLLOWED_NOT;
    if (fde.cie.is_signal_frame && is_trampoline(registers->values[CFI_PC])) {
        take_interrupted(registers);
        return CFI_FOLLOWED;
    }
    if (fde.cie.bad || fde.cie.is_signal_frame || !cfi_run(&fde, pc, &row))
        return CFI_FOLLOWED_NOT;
    const struct saved_register saved_pc = row.registers[CFI_PC];
    if (saved_pc.how == SAVED_UNDEFINED)
        return CFI_FOLLOWED_TO_END;
    if (saved_pc.how != SAVED_AT_CFA || row.registers[CFI_SP].how != SAVED_NOT ||
        !evaluate_cfa(&row, pc, registers, &bounds, &cfa) || cfa <= sp ||
        !read_word(&bounds, cfa + (uintptr_t)saved_pc.offset, &return_address))
        return CFI_FOLLOWED_NOT;
    take_callers(&row, &bounds, cfa, registers);
    registers->values[CFI_SP] = cfa;
    registers->values[CFI_PC] = return_address;
    registers->is_exact = false;
    return return_address ? CFI_FOLLOWED : CFI_FOLLOWED_TO_END;
}

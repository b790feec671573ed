/* SPDX-License-Identifier: MIT */
/* Inside cfi: how the bytes of .eh_frame are taken, and the row that a call-frame program builds.
 *
 * cfi.c finds and reads the records, cfi_program.c runs them, cfi_follow.c follows rows
 * with bounds. Reads stay inside the records that their length fields describe. */
#ifndef HEAPWISE_PRELOAD_CFI_PROGRAM_H
#define HEAPWISE_PRELOAD_CFI_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "preload/cfi.h"

/* DWARF pointer encodings, low nibble the format, high nibble what it counts from. */
enum {
    PE_ABSOLUTE = 0x00,
    PE_ULEB = 0x01,
    PE_UDATA2 = 0x02,
    PE_UDATA4 = 0x03,
    PE_UDATA8 = 0x04,
    PE_SLEB = 0x09,
    PE_SDATA2 = 0x0a,
    PE_SDATA4 = 0x0b,
    PE_SDATA8 = 0x0c,
    PE_PC_RELATIVE = 0x10,
    PE_DATA_RELATIVE = 0x30,
    PE_OMITTED = 0xff,
    PE_TABLE = PE_DATA_RELATIVE | PE_SDATA4,
};

struct bytes {
    const uint8_t *at;
    const uint8_t *end;
    bool bad; /* a read went past the end, or something was not understood */
};

static inline uint64_t take_fixed(struct bytes *bytes, size_t n)
{
    uint64_t value = 0;
    if ((size_t)(bytes->end - bytes->at) < n) {
        bytes->bad = true;
        return 0;
    }
    memcpy(&value, bytes->at, n);
    bytes->at += n;
    return value;
}

static inline uint64_t take_leb(struct bytes *bytes, bool is_signed)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = (uint8_t)take_fixed(bytes, 1);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while ((byte & 0x80) && !bytes->bad);
    if (is_signed && shift < 64 && (byte & 0x40))
        value |= ~UINT64_C(0) << shift;
    return value;
}

static inline uint64_t take_uleb(struct bytes *bytes)
{
    return take_leb(bytes, false);
}

static inline int64_t take_sleb(struct bytes *bytes)
{
    return (int64_t)take_leb(bytes, true);
}

static inline uint64_t take_pointer(struct bytes *bytes, uint8_t encoding, uintptr_t data_base)
{
    const uintptr_t here = (uintptr_t)bytes->at;
    uint64_t value;
    switch (encoding & 0x0f) {
    case PE_ABSOLUTE:
    case PE_UDATA8:
    case PE_SDATA8: value = take_fixed(bytes, 8); break;
    case PE_ULEB: value = take_uleb(bytes); break;
    case PE_SLEB: value = (uint64_t)take_sleb(bytes); break;
    case PE_UDATA2: value = take_fixed(bytes, 2); break;
    case PE_SDATA2: value = (uint64_t)(int16_t)take_fixed(bytes, 2); break;
    case PE_UDATA4: value = take_fixed(bytes, 4); break;
    case PE_SDATA4: value = (uint64_t)(int32_t)take_fixed(bytes, 4); break;
    default: bytes->bad = true; return 0;
    }
    switch (encoding & 0x70) {
    case PE_ABSOLUTE: return value;
    case PE_PC_RELATIVE: return value + here;
    case PE_DATA_RELATIVE: return value + data_base;
    default: bytes->bad = true; return 0;
    }
}

static inline struct bytes take_block(struct bytes *program)
{
    const uint64_t n = take_uleb(program);
    struct bytes block = {.at = program->at, .end = program->at};
    if (n > (size_t)(program->end - program->at)) {
        program->bad = true;
        return block;
    }
    program->at += n;
    block.end = program->at;
    return block;
}

static inline void skip_block(struct bytes *program)
{
    take_block(program);
}

struct cie {
    struct bytes program;
    uint64_t code_align;
    int64_t data_align;
    uint8_t pointer_encoding;
    bool has_augmentation;
    bool is_signal_frame;
    bool bad;
};

/* An FDE as far as it says which code it is for. */
struct fde {
    const uint8_t *record;
    struct cie cie; /* bad also where the FDE is */
    uintptr_t start;
    uint64_t n_code_bytes;
    struct bytes rest; /* augmentation and program */
};

/* What is known of the value that a register has in the caller. */
enum saved {
    SAVED_NOT, /* unchanged */
    SAVED_AT_CFA,
    SAVED_AT_BP, /* in gcc's realigned frames: the CFA is saved there, too */
    SAVED_IN_REGISTER,
    SAVED_UNDEFINED,
    SAVED_OTHERWISE, /* another expression */
};

/* One word: rows are copied, and lie on stacks that are not ours. */
struct saved_register {
    uint32_t how : 4;    /* enum saved */
    int32_t offset : 28; /* from the CFA or rbp; or the number of the register that has it */
};
enum { LARGEST_SAVED_OFFSET = (1 << 27) - 1 };

struct row {
    uint8_t cfa_register;        /* 0xff: an expression */
    struct bytes cfa_expression; /* then it is this */
    int64_t cfa_offset;
    struct saved_register registers[CFI_REGISTERS]; /* that of CFI_PC is the return address */
};

/* Take "rbp plus n", as gcc's expressions for realigned frames begin. */
static inline bool take_bp_plus(struct bytes *expression, int64_t *offset_out)
{
    enum { BP_PLUS = 0x76 }; /* DW_OP_breg6 */
    const bool is_bp_plus = take_fixed(expression, 1) == BP_PLUS;
    *offset_out = take_sleb(expression);
    return is_bp_plus && !expression->bad;
}

/* Run CIE and FDE up to pc. False where something is not understood. Moves fde->rest on. */
bool cfi_run(struct fde *fde, uintptr_t pc, struct row *row_out);

/* Read the FDE that covers pc; cie.bad where it is not understood. False where none covers it. */
bool cfi_read_fde(uintptr_t pc, struct fde *fde_out);

#endif

/* SPDX-License-Identifier: MIT */
/* From a code address to the rule that leads to its caller's frame, read from .eh_frame.
 *
 *     caller's sp  = CFA
 *     caller's pc  = word at CFA - 8
 *     caller's rbp = word at CFA + bp_offset, or unchanged
 *
 * where CFA = (rsp or rbp) + cfa_offset. That covers nearly all compiled code; anything else is
 * CFI_UNUSUAL. Sources: DWARF 5 §6.4, Linux Standard Base 5 §10.6 (.eh_frame, .eh_frame_hdr),
 * System V AMD64 ABI figure 3.36 (register numbers). */
#ifndef HEAPWISE_PRELOAD_CFI_H
#define HEAPWISE_PRELOAD_CFI_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum cfi_kind {
    CFI_NONE = 0, /* start code that no table covers: there is no caller */
    CFI_RULE = 1,
    CFI_OUTERMOST = 2, /* return address undefined: there is no caller */
    CFI_UNUSUAL = 3,   /* expression, signal frame, other registers */
    CFI_NO_TABLE = 4,  /* code made at run time or of a module without tables, or no code at all */
};

/* Eight bytes, so that a rule can be cached in one word. */
struct cfi_rule {
    uint8_t kind;        /* cfi_kind */
    uint8_t cfa_from_bp; /* CFA counts from rbp, else from rsp */
    uint8_t bp_saved;    /* the caller's rbp was saved */
    int8_t bp_words;     /* at CFA + 8 * bp_words */
    int32_t cfa_offset;
};
_Static_assert(sizeof(struct cfi_rule) == 8, "a rule is one word");

/* The same in one register, and what stands where in it: walks take it apart as they need it. */
struct cfi_word {
    uint64_t bits;
};

static inline struct cfi_word cfi_word_of(struct cfi_rule rule)
{
    struct cfi_word word;
    memcpy(&word, &rule, sizeof word);
    return word;
}

static inline enum cfi_kind cfi_word_kind(struct cfi_word word)
{
    return (enum cfi_kind)(uint8_t)word.bits;
}

static inline bool cfi_word_from_bp(struct cfi_word word)
{
    return (word.bits & 0xff00) != 0;
}

/* CFI_RULE, and the CFA counts from rsp. */
static inline bool cfi_word_is_plain(struct cfi_word word)
{
    return (uint16_t)word.bits == CFI_RULE;
}

static inline bool cfi_word_bp_saved(struct cfi_word word)
{
    return (word.bits & 0xff0000) != 0;
}

static inline int64_t cfi_word_bp_words(struct cfi_word word)
{
    return (int32_t)(uint32_t)word.bits >> 24;
}

static inline int64_t cfi_word_cfa_offset(struct cfi_word word)
{
    return (int64_t)word.bits >> 32;
}

/* Find the rule that holds at `pc` (a return address less one, or an interrupted pc).
 * Lock-free, no allocation, async-signal-safe; about 1 us: cache the result. */
struct cfi_rule cfi_find(uintptr_t pc);

/* Find the frame description entry that covers `pc`, and where its function begins. NULL where none does,
 * or none that is understood. The same guarantees. */
const void *cfi_find_fde(uintptr_t pc, uintptr_t *function_out);

/* Registers of one frame, by DWARF number. */
enum { CFI_BP = 6, CFI_SP = 7, CFI_PC = 16, CFI_REGISTERS = 17 };
struct cfi_registers {
    uintptr_t values[CFI_REGISTERS];
    uint32_t known; /* a bit per number; pc, sp and rbp always are */
    bool is_exact;  /* pc is an interrupted instruction, not a return address */
};

enum cfi_followed {
    CFI_FOLLOWED,        /* *registers are the caller's */
    CFI_FOLLOWED_TO_END, /* there is no caller */
    CFI_FOLLOWED_NOT,    /* there may be one, but it cannot be reached for sure */
};

/* Go from a frame to its caller, or through a signal handler's way out to what it interrupted.
 *
 * For stacks with interrupted frames. Tables are exact where a function calls another one; where a
 * signal interrupts it, gcc's expressions for realigned frames are not, for a few instructions at either
 * end: they name words that are not written yet, or not there any more, and an unwinder that
 * believes them reads anywhere. Here each word is read only between sp and `limit` (UINTPTR_MAX: the
 * stack's end is not known). Lock-free, no allocation, async-signal-safe; about 1 us. */
enum cfi_followed cfi_follow(struct cfi_registers *registers, uintptr_t limit);

#endif

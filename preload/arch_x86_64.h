/* SPDX-License-Identifier: MIT */
/* What is particular to x86-64: raw system calls, the time stamp counter, where an unwind starts.
 *
 * The one header to write again for another machine (with arch_x86_64.S and unwind's two registers). */
#ifndef HEAPWISE_PRELOAD_ARCH_X86_64_H
#define HEAPWISE_PRELOAD_ARCH_X86_64_H

#include <stdint.h>

#include "trace/trace_format.h"

/* Make a system call without libc: no errno, no cancellation point, no hook of ours.
 * Returns the kernel's value, negative errno on failure. Source: System V AMD64 ABI, A.2.1. */
static inline long arch_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#define arch_syscall_pick(_0, _1, _2, _3, _4, _5, _6, name, ...) name
#define arch_syscall(...)                                                                          \
    arch_syscall_pick(__VA_ARGS__, arch_sys6, arch_sys5, arch_sys4, arch_sys3, arch_sys2,          \
                      arch_sys1, arch_sys0, 0)(__VA_ARGS__)
#define arch_word(value)      ((long)(value))
#define arch_sys0(n)          arch_syscall6(n, 0, 0, 0, 0, 0, 0)
#define arch_sys1(n, a)       arch_syscall6(n, arch_word(a), 0, 0, 0, 0, 0)
#define arch_sys2(n, a, b)    arch_syscall6(n, arch_word(a), arch_word(b), 0, 0, 0, 0)
#define arch_sys3(n, a, b, c) arch_syscall6(n, arch_word(a), arch_word(b), arch_word(c), 0, 0, 0)
#define arch_sys4(n, a, b, c, d)                                                                   \
    arch_syscall6(n, arch_word(a), arch_word(b), arch_word(c), arch_word(d), 0, 0)
#define arch_sys5(n, a, b, c, d, e)                                                                \
    arch_syscall6(n, arch_word(a), arch_word(b), arch_word(c), arch_word(d), arch_word(e), 0)
#define arch_sys6(n, a, b, c, d, e, f)                                                             \
    arch_syscall6(n, arch_word(a), arch_word(b), arch_word(c), arch_word(d), arch_word(e),         \
                  arch_word(f))

/* Read the time stamp counter. May be executed before earlier loads have completed, so that the stamps
 * of a block's hand-over between threads can be in the wrong order: the release's before the acquisition's
 * 5,430 times in 90 million hand-overs, by 729 cycles at most. An lfence before it prevents that
 * at 7 ns each: it is there where many events share what was read (event_read_block). Else the reader puts what
 * is that close in order, by what it knows: one address is acquired and released in turn (reader/pairing.h).
 * Source: Intel SDM vol. 2, RDTSC. */
static inline uint64_t arch_cycles(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* The same as a trace counts. */
static inline uint64_t arch_ticks(void)
{
    return arch_cycles() / TRACE_CYCLES_PER_TICK;
}

/* Let nothing behind it begin before all loads before it are done. Intel SDM vol. 2, LFENCE. */
static inline void arch_wait_for_loads(void)
{
    __asm__ volatile("lfence" : : : "memory");
}

static inline void arch_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

/* Add one so that no signal handler of the same thread comes in between; other threads may. */
static inline void arch_increment(_Atomic uint64_t *counter)
{
    __asm__ volatile("incq %0" : "+m"(*counter) : : "cc");
}

/* Call function(first, second), which is hidden and keeps all registers (ARCH_KEEPS_REGISTERS), so that the
 * code around has nothing to save for the case that this is called. Only in functions that call others, too:
 * those keep nothing below the stack pointer. */
#define ARCH_KEEPS_REGISTERS                                                                       \
    __attribute__((no_caller_saved_registers, target("general-regs-only"), force_align_arg_pointer))
#define ARCH_CALL_KEEPING(function, first, second)                                                 \
    do {                                                                                           \
        register uintptr_t arch_first __asm__("rax") = (uintptr_t)(first);                         \
        register uintptr_t arch_second __asm__("r11") = (uintptr_t)(second);                       \
        __asm__ volatile("xchg %%rdi, %0\n\txchg %%rsi, %1\n\tcall " #function                     \
                         "\n\txchg %%rsi, %1\n\txchg %%rdi, %0"                                    \
                         : "+r"(arch_first), "+r"(arch_second)                                     \
                         :                                                                         \
                         : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", \
                           "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",    \
                           "xmm15");                                                               \
    } while (0)

/* Address of the thread's control block; a thread's stack ends below it. */
static inline uintptr_t arch_thread_pointer(void)
{
    uintptr_t pointer;
    __asm__("mov %%fs:0x10, %0" : "=r"(pointer));
    return pointer;
}

/* Registers of the hook's caller, as they are right after the call returns. */
struct arch_frame {
    uintptr_t pc; /* return address */
    uintptr_t sp;
    uintptr_t bp;
};

/* Take them inside the hook itself, before anything else. Reading the frame address makes gcc set
 * up a frame pointer here, so the word it points to is the caller's rbp; an inline mov of %rbp
 * would not be. */
#define ARCH_CALLER_FRAME()                                                                        \
    ((struct arch_frame){.pc = (uintptr_t)__builtin_return_address(0),                             \
                         .sp = (uintptr_t)__builtin_dwarf_cfa(),                                   \
                         .bp = *(const uintptr_t *)__builtin_frame_address(0)})

#endif

/* SPDX-License-Identifier: MIT */
/* Hooks that C cannot write, because the real function must see its caller's return address, or
 * must return twice.
 *
 * vfork: the child runs on the parent's stack, so the return address is kept in a register over the
 * call; a flag in the thread's storage tells the hooks that this is the child.
 * dlopen, dlmopen: the loader searches the RPATH of the caller, so we look and then jump.
 * syscall: may be asked for vfork too, so we look at the number and jump. */
        .text

/* void hook_saw_*(first, second) with all argument registers kept, then a jump to *target. */
.macro look_and_jump name, look, target
        .globl  \name
        .type   \name, @function
\name:
        .cfi_startproc
        endbr64
        push    %rdi
        .cfi_adjust_cfa_offset 8
        push    %rsi
        .cfi_adjust_cfa_offset 8
        push    %rdx
        .cfi_adjust_cfa_offset 8
        push    %rcx
        .cfi_adjust_cfa_offset 8
        push    %r8
        .cfi_adjust_cfa_offset 8
        push    %r9
        .cfi_adjust_cfa_offset 8
        push    %rax
        .cfi_adjust_cfa_offset 8
        call    \look
        mov     %rax, %r11
        pop     %rax
        .cfi_adjust_cfa_offset -8
        pop     %r9
        .cfi_adjust_cfa_offset -8
        pop     %r8
        .cfi_adjust_cfa_offset -8
        pop     %rcx
        .cfi_adjust_cfa_offset -8
        pop     %rdx
        .cfi_adjust_cfa_offset -8
        pop     %rsi
        .cfi_adjust_cfa_offset -8
        pop     %rdi
        .cfi_adjust_cfa_offset -8
        jmp     *%r11
        .cfi_endproc
        .size   \name, . - \name
.endm

        look_and_jump dlopen, loader_saw_dlopen
        look_and_jump dlmopen, loader_saw_dlmopen
        look_and_jump syscall, process_saw_syscall

/* pid_t vfork(void) */
        .globl  vfork
        .type   vfork, @function
        .globl  __vfork
        .type   __vfork, @function
vfork:
__vfork:
        .cfi_startproc
        endbr64
        sub     $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    process_saw_vfork
        add     $8, %rsp
        .cfi_adjust_cfa_offset -8
        mov     %rax, %rsi              /* the kernel keeps all but rax, rcx and r11 */
        mov     thread_in_vfork@gottpoff(%rip), %rdx
        mov     %fs:(%rdx), %r8d
        pop     %rdi
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rdi
        mov     $58, %eax               /* __NR_vfork */
        syscall
        push    %rdi
        .cfi_adjust_cfa_offset 8
        .cfi_offset %rip, -8
        xor     %ecx, %ecx
        test    %eax, %eax
        sete    %cl
        or      %r8d, %ecx              /* such a child may call vfork itself */
        mov     %ecx, %fs:(%rdx)        /* 1 in the child, as before once the parent goes on */
        mov     thread_state@gottpoff(%rip), %rcx
        mov     %rsi, %fs:(%rcx)
        cmp     $-4095, %rax
        jae     1f
        ret
1:      neg     %eax
        push    %rax
        .cfi_adjust_cfa_offset 8
        call    __errno_location@PLT
        pop     %rdx
        .cfi_adjust_cfa_offset -8
        mov     %edx, (%rax)
        mov     $-1, %eax
        ret
        .cfi_endproc
        .size   vfork, . - vfork
        .size   __vfork, . - __vfork

        .section .note.GNU-stack, "", @progbits

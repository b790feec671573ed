/* SPDX-License-Identifier: MIT */
#include "tests/support/libunwind.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "preload/cfi_program.h"

bool libunwind_open(struct libunwind *library_out)
{
    static const struct {
        const char *name;
        size_t place;
    } functions[] = {
        {"_ULx86_64_local_addr_space", offsetof(struct libunwind, space)},
        {"unw_backtrace", offsetof(struct libunwind, backtrace)},
        {"_Ux86_64_flush_cache", offsetof(struct libunwind, flush)},
        {"_Ux86_64_getcontext", offsetof(struct libunwind, getcontext)},
        {"_ULx86_64_init_local", offsetof(struct libunwind, init)},
        {"_ULx86_64_step", offsetof(struct libunwind, step)},
        {"_ULx86_64_get_reg", offsetof(struct libunwind, get)},
        {"_ULx86_64_get_proc_info_by_ip", offsetof(struct libunwind, find)},
    };
    void *const handle = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return false;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *const address = dlsym(handle, functions[i].name);
        if (!address)
            return false;
        *(void **)(void *)((char *)library_out + functions[i].place) = address;
    }
    return true;
}

bool libunwind_is_trampoline(uintptr_t pc)
{
    /* mov $15, %rax; syscall */
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    return memcmp((const void *)pc, code, sizeof code) == 0;
}

bool libunwind_is_risky(uintptr_t pc)
{
    struct fde fde;
    struct row row;
    int64_t offset;
    if (cfi_find(pc).kind != CFI_UNUSUAL)
        return false;
    if (!cfi_read_fde(pc, &fde) || fde.cie.bad || !cfi_run(&fde, pc, &row))
        return true;
    return row.registers[CFI_BP].how == SAVED_AT_BP || row.registers[CFI_SP].how != SAVED_NOT ||
           (row.cfa_register == 0xff && take_bp_plus(&row.cfa_expression, &offset));
}

// SPDX-License-Identifier: MIT
// 500 exceptions through 5 frames that each own a block (operator new of 96 bytes, freed by
// unwinding): 2500 blocks; 100 arrays by new[]; 100 over-aligned objects; and 10 requests that new
// refuses with bad_alloc.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

extern "C" {
#include "victim_counts.h"
}

struct Owner {
    char *block;

    __attribute__((noinline)) Owner() : block(static_cast<char *>(::operator new(96))) {}
    __attribute__((noinline)) ~Owner() { ::operator delete(block); }
};

struct alignas(128) Wide {
    char bytes[128];
};

extern "C" __attribute__((noinline)) void throw_deep(int depth)
{
    Owner owner;

    if (depth == 1)
        throw depth;
    throw_deep(depth - 1);
}

extern "C" __attribute__((noinline)) int *make_array(void)
{
    return new int[30];
}

extern "C" __attribute__((noinline)) Wide *make_wide(void)
{
    return new Wide();
}

extern "C" __attribute__((noinline)) bool refused(void)
{
    volatile std::size_t huge = static_cast<std::size_t>(PTRDIFF_MAX) - 64;

    try {
        return ::operator new(huge) == nullptr;
    } catch (const std::bad_alloc &) {
        return true;
    }
}

int main()
{
    for (int i = 0; i < 500; i++) {
        try {
            throw_deep(5);
            return 1;
        } catch (int depth) {
            if (depth != 1)
                return 2;
        }
    }
    for (int i = 0; i < 100; i++) {
        int *array = make_array();
        Wide *wide = make_wide();

        if (reinterpret_cast<std::uintptr_t>(wide) % 128 != 0)
            return 3;
        delete[] array;
        delete wide;
    }
    for (int i = 0; i < 10; i++)
        if (!refused())
            return 4;
    counts_expect_freed("Owner::Owner()", 2500, 2500 * 96);
    counts_expect_freed("make_array", 100, 100 * 120);
    counts_expect_freed("make_wide", 100, 100 * 128);
    return 0;
}

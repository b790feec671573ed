/* SPDX-License-Identifier: MIT */
/* Anonymous mappings are no allocations: 20 mmaps of 1 MiB, 5 grown to 2 MiB, all unmapped, one in two
 * halves; 1 refused. 25 MiB mapped, peak 25 MiB at least (the runtime maps, too). File mappings count nothing. */
#include "victim.h"

enum { MIB = 1 << 20 };

SITE static void *map_one(void)
{
    return mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int main(void)
{
    char *maps[20];

    for (int i = 0; i < 20; i++)
        maps[i] = map_one();
    for (int i = 0; i < 5; i++)
        maps[i] = mremap(maps[i], MIB, 2 * MIB, MREMAP_MAYMOVE);
    if (mmap(NULL, (size_t)1 << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        return 1;
    for (int i = 0; i < 5; i++)
        munmap(maps[i], 2 * MIB);
    munmap(maps[5], MIB / 2);
    munmap(maps[5] + MIB / 2, MIB / 2);
    for (int i = 6; i < 20; i++)
        munmap(maps[i], MIB);
    expect("map_one", "alloc_count", 0);
    tally_add(expect_row("", "mapped_bytes", AT_LEAST), 25 * MIB);
    tally_add(expect_row("", "mapped_peak_bytes", AT_LEAST), 25 * MIB);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "tests/support/board.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "preload/syscalls.h"

static const char *const row_names[BOARD_ROWS] = {
    [OPINION_EQUAL] = "equal",
    [OPINION_CUT] = "cut",
    [OPINION_START_CODE] = "start_code",
    [OPINION_NO_TABLE] = "no_table",
    [OPINION_INEXACT] = "inexact",
    [BOARD_DIFFERENT] = "different",
    [BOARD_EARLY] = "early",
    [BOARD_FORBIDDEN] = "forbidden",
    [BOARD_FORKED] = "forked",
    [BOARD_BEGUN] = "begun",
    [BOARD_FRAMES] = "frames",
    [BOARD_SHARED] = "shared",
    [BOARD_INTERRUPTED] = "interrupted",
    [BOARD_ALL_WAYS] = "all_ways",
};

struct board *board_open(const char *shim_path)
{
    char path[4200];
    if (strlen(shim_path) > 4096)
        return NULL;
    strcpy(stpcpy(path, shim_path), ".board");
    const long fd = sys_open(path, O_RDWR);
    if (fd < 0)
        return NULL;
    const long at =
        arch_syscall(SYS_mmap, 0, BOARD_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    sys_close(fd);
    if (at < 0 && at > -4096)
        return NULL;
    struct board *const board = (struct board *)at;
    for (size_t i = 0; i < BOARD_ROWS; i++)
        strncpy(board->rows[i].name, row_names[i], sizeof board->rows[i].name - 1);
    board->n_rows = BOARD_ROWS;
    return board;
}

struct text {
    char *at, *end;
};

static void put_stack(struct text *text, const char *name, const uintptr_t *pcs, size_t n)
{
    text->at += snprintf(text->at, (size_t)(text->end - text->at), "  %s, %zu frames:\n", name, n);
    for (size_t i = 0; i < n && text->end - text->at > 400; i++) {
        struct dl_find_object object;
        const char *module = "no module";
        uintptr_t bias = 0;
        if (_dl_find_object((void *)(pcs[i] - 1), &object) == 0) {
            module = object.dlfo_link_map->l_name[0] ? object.dlfo_link_map->l_name : "the program";
            bias = object.dlfo_link_map->l_addr;
        }
        text->at += snprintf(text->at, (size_t)(text->end - text->at),
                             "    %016lx %.200s + 0x%lx\n", pcs[i], module, pcs[i] - bias);
    }
}

void board_tell(struct board *board, const char *way, const struct stack_claim *claim,
                const uintptr_t *pcs, size_t n)
{
    const uint64_t index = atomic_fetch_add(&board->n_texts, 1);
    if (index >= BOARD_TEXTS)
        return;
    char *const first = board->texts[index];
    struct text text = {.at = first, .end = first + BOARD_TEXT_BYTES / 2};
    put_stack(&text, way, claim->pcs, claim->n);
    text.end = first + BOARD_TEXT_BYTES;
    put_stack(&text, "libunwind", pcs, n);
}

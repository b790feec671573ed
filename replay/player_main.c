/* SPDX-License-Identifier: MIT */
/* heapwise-replayer OPS RESULT MODE ROW: what it needs is mapped, the lists are done, figures written.
 *
 * OPS and RESULT are descriptors, MODE is run, empty (no allocator is called) or probe (nothing is done,
 * but whose malloc it would be is told), ROW is the plan's row in use: 0 none, -1 all. */
#include "replay/player.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum {
    BUFFERS_BYTES = 16 << 20, /* of all threads' ops, as far as each has some */
    LEAST_BUFFERED = 64,      /* ops */
    REGION_BYTES = 2 << 20,   /* what an empty run touches */
    FAKE_BYTES = 16 << 10,    /* of it between threads: small blocks do not meet */
    POLL_NS = 50000,
    STATUS_FAILED = 1,
};

/* ---- setting up ---- */

/* Read a table of the file into memory of its own; `spare` zeroed elements stand before it. */
static void *read_table(const struct player *player, uint64_t at, size_t n, size_t element_bytes,
                        size_t spare)
{
    uint8_t *const table = player_map((n + spare) * element_bytes);
    const size_t wanted = n * element_bytes;
    if (!table ||
        pread(player->ops_fd, table + spare * element_bytes, wanted, (off_t)at) != (ssize_t)wanted)
        return NULL;
    return table;
}

static bool set_up_rows(struct player *player)
{
    const struct ops_row *const rows =
        read_table(player, player->head.rows_at, player->head.n_rows, sizeof *rows, 0);
    player->rows = player_map(player->head.n_rows * sizeof *player->rows);
    if (!rows || !player->rows)
        return false;
    for (uint32_t i = 0; i < player->head.n_rows; i++)
        player->rows[i].row = rows[i];
    player_stores_init(player);
    return true;
}

/* A place of a thread's own in the region, as far as there are enough. */
static uint8_t *fake_of(const struct player *player, uint32_t i)
{
    return player->fakes ? player->fakes + (uint64_t)i * FAKE_BYTES % REGION_BYTES : NULL;
}

static bool set_up_threads(struct player *player)
{
    const uint32_t n = player->head.n_threads;
    const size_t n_figures = player->head.n_rows + (size_t)1;
    const size_t share = BUFFERS_BYTES / sizeof(struct ops_op) / n;
    player->n_buffered = share > OPS_CHUNK_MAX    ? OPS_CHUNK_MAX
                         : share < LEAST_BUFFERED ? LEAST_BUFFERED
                                                  : (uint32_t)share;
    struct ops_op *const ops = player_map(n * (size_t)player->n_buffered * sizeof *ops);
    struct row_local *const locals = player_map(n * (n_figures - 1) * sizeof *locals);
    struct ops_row_figures *const figures = player_map(n * n_figures * sizeof *figures);
    player->threads = player_map(n * sizeof *player->threads);
    if (!ops || !locals || !figures || !player->threads)
        return false;
    for (uint32_t i = 0; i < n; i++)
        player->threads[i] = (struct player_thread){.player = player,
                                                    .list = &player->lists[i],
                                                    .ops = &ops[i * (size_t)player->n_buffered],
                                                    .locals = &locals[i * (n_figures - 1)],
                                                    .figures = &figures[i * n_figures],
                                                    .fake = fake_of(player, i),
                                                    .countdown = 1 + i % 8,
                                                    .random = i};
    return true;
}

/* Where stores go: to the blocks; in an empty run all into one small region that is aligned to its size. */
static bool set_up_touching(struct player *player)
{
    player->touch_mask = UINTPTR_MAX;
    if (!player->is_empty)
        return true;
    uint8_t *const region = player_map((size_t)2 * REGION_BYTES);
    if (!region)
        return false;
    player->touch_base = ((uintptr_t)region + REGION_BYTES - 1) & ~(uintptr_t)(REGION_BYTES - 1);
    player->touch_mask = REGION_BYTES - 1;
    player->fakes = (uint8_t *)player->touch_base;
    return true;
}

static bool set_up(struct player *player)
{
    struct ops_head *const head = &player->head;
    if (pread(player->ops_fd, head, sizeof *head, 0) != (ssize_t)sizeof *head ||
        head->magic != OPS_MAGIC)
        return false;
    player->lists = read_table(player, head->threads_at, head->n_threads, sizeof *player->lists, 0);
    player->epochs = read_table(player, head->epochs_at, head->n_epochs, sizeof *player->epochs, 0);
    player->slots = player_map((head->n_slots + (size_t)1) * sizeof *player->slots);
    player->timing_cycles = player_timing_cycles();
    return player->lists && player->epochs && player->slots && set_up_touching(player) &&
           set_up_rows(player) && set_up_threads(player);
}

/* ---- running ---- */

struct moment {
    uint64_t cycles, wall_ns, kernel_ns, faults;
};

static struct moment now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct moment){
        .cycles = __rdtsc(),
        .wall_ns = player_clock_ns(CLOCK_MONOTONIC),
        .kernel_ns =
            (uint64_t)usage.ru_stime.tv_sec * 1000000000 + (uint64_t)usage.ru_stime.tv_usec * 1000,
        .faults = (uint64_t)(usage.ru_minflt + usage.ru_majflt),
    };
}

static void add_thread(struct ops_figures *figures, const struct player_thread *thread)
{
    for (unsigned i = 0; i < OPS_N_CALLS; i++)
        figures->n_calls[i] += thread->n_calls[i];
    figures->n_failed += thread->n_failed;
    const double hz = figures->tsc_hz ? (double)figures->tsc_hz : 1;
    const uint64_t excluded_ns =
        thread->excluded_ns + (uint64_t)((double)thread->looking_cycles * 1e9 / hz);
    figures->cpu_ns += thread->cpu_ns > excluded_ns ? thread->cpu_ns - excluded_ns : 0;
}

static void take_figures(struct player *player, const struct moment *begin)
{
    struct ops_figures *const figures = &player->figures;
    const struct moment end = now();
    const uint64_t peak = player_peak_rss_bytes(), base = player->base_rss_bytes;
    const double seconds = (double)(end.wall_ns - begin->wall_ns) / 1e9;
    figures->magic = OPS_MAGIC;
    figures->wall_ns = end.wall_ns - begin->wall_ns;
    figures->kernel_ns = end.kernel_ns - begin->kernel_ns;
    figures->faults = end.faults - begin->faults;
    figures->tsc_hz = seconds > 0 ? (uint64_t)((double)(end.cycles - begin->cycles) / seconds) : 1;
    figures->peak_rss_bytes = peak > base ? peak - base : 0;
    /* The kernel's own count is some pages late; what was seen in between is at least that. */
    if (figures->peak_rss_bytes < figures->rss_at_peak_bytes)
        figures->peak_rss_bytes = figures->rss_at_peak_bytes;
    for (uint32_t i = 0; i < player->head.n_threads; i++)
        add_thread(figures, &player->threads[i]);
}

static void run(struct player *player)
{
    const struct timespec nap = {.tv_nsec = POLL_NS};
    player->base_rss_bytes = player_rss_bytes();
    player_reset_peak();
    const struct moment begin = now();
    player_play(player->threads);
    while (player->n_running)
        nanosleep(&nap, NULL);
    take_figures(player, &begin);
}

/* ---- results ---- */

static bool send(int fd, const void *bytes, size_t n_bytes)
{
    const uint8_t *at = bytes;
    while (n_bytes) {
        const ssize_t n = write(fd, at, n_bytes);
        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? n : 0;
        n_bytes -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static void add_row(struct ops_row_figures *sum, const struct ops_row_figures *figures)
{
    sum->n_served += figures->n_served;
    sum->n_overflowed += figures->n_overflowed;
    sum->n_releases += figures->n_releases;
    for (unsigned i = 0; i < OPS_N_CLASSES; i++) {
        sum->samples[i].n += figures->samples[i].n;
        sum->samples[i].cycles += figures->samples[i].cycles;
    }
}

/* Sum up what threads have of each row, in the first thread's. */
static void sum_rows(struct player *player)
{
    for (uint32_t row = 0; row <= player->head.n_rows; row++)
        for (uint32_t i = 1; i < player->head.n_threads; i++)
            add_row(&player->threads[0].figures[row], &player->threads[i].figures[row]);
    for (uint32_t row = 0; row <= player->head.n_rows; row++)
        for (unsigned i = 0; i < OPS_N_CLASSES; i++) {
            const struct ops_samples *const samples = &player->threads[0].figures[row].samples[i];
            player->figures.samples[i].n += samples->n;
            player->figures.samples[i].cycles += samples->cycles;
        }
}

static void find_module(struct ops_figures *figures)
{
    Dl_info info;
    void *const function = dlsym(RTLD_DEFAULT, "malloc");
    figures->magic = OPS_MAGIC;
    if (function && dladdr(function, &info) && info.dli_fname)
        strncpy(figures->module, info.dli_fname, sizeof figures->module - 1);
}

static int play(struct player *player, int result_fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody waits for the figures then */
    prctl(PR_SET_TIMERSLACK, 1000UL); /* naps are shorter than the usual 50,000 ns of slack */
    player->too_many_bytes = player_limit_memory();
    if (!set_up(player))
        return STATUS_FAILED;
    run(player);
    sum_rows(player);
    return send(result_fd, &player->figures, sizeof player->figures) &&
                   send(result_fd, player->threads[0].figures,
                        (player->head.n_rows + (size_t)1) * sizeof *player->threads[0].figures)
               ? 0
               : STATUS_FAILED;
}

int main(int argc, char **argv)
{
    static struct player player;
    if (argc != 5)
        return STATUS_FAILED;
    const int result_fd = atoi(argv[2]);
    player.ops_fd = atoi(argv[1]);
    player.is_empty = strcmp(argv[3], "empty") == 0;
    player.row = atoi(argv[4]);
    find_module(&player.figures);
    if (strcmp(argv[3], "probe") == 0)
        return send(result_fd, &player.figures, sizeof player.figures) ? 0 : STATUS_FAILED;
    return play(&player, result_fd);
}

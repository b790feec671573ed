/* SPDX-License-Identifier: MIT */
/* Threads whose first malloc is interrupted between two instructions of the shim, each thread's 17 instructions after
 * the one before, by a handler that forks. Each child goes on from there, then allocates and frees 10 blocks of 72
 * bytes; each thread 10 of 77. What the handler itself does while its thread has no ring yet is lost, and counted. */
#include "victim.h"

#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>

enum { TRAP_FLAG = 0x100, STEPS_A_THREAD = 17, PAIRS = 10 };

pid_t _Fork(void);

static uintptr_t shim_start, shim_end; /* its code; empty where nothing records */
static long fork_at;                   /* instruction of the shim, counted from the malloc on */
static __thread volatile long n_steps;
static __thread volatile sig_atomic_t is_child, was_forked;

static int find_shim(struct dl_phdr_info *info, size_t n_bytes, void *context)
{
    (void)n_bytes;
    (void)context;
    for (int i = 0; strstr(info->dlpi_name, "libheapwise-preload") && i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_X))
            continue;
        shim_start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        shim_end = shim_start + info->dlpi_phdr[i].p_memsz;
    }
    return 0;
}

static void on_step(int number, siginfo_t *info, void *context)
{
    greg_t *const registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uintptr_t pc = (uintptr_t)registers[REG_RIP];
    (void)number;
    (void)info;
    if (pc < shim_start || pc >= shim_end || n_steps++ != fork_at)
        return;
    registers[REG_EFL] &= ~TRAP_FLAG;
    is_child = _Fork() == 0;
    was_forked = !is_child;
}

SITE static void in_child(void)
{
    for (int i = 0; i < PAIRS; i++)
        free(malloc(72));
}

SITE static void after(void)
{
    for (int i = 0; i < PAIRS; i++)
        free(malloc(77));
}

/* Returns whether the malloc was long enough to be interrupted there. */
static void *in_thread(void *unused)
{
    int status = 0;
    __asm__ volatile("pushf; orq $0x100, (%%rsp); popf" : : : "memory", "cc");
    void *const block = malloc(50);
    __asm__ volatile("pushf; andq $~0x100, (%%rsp); popf" : : : "memory", "cc");
    if (is_child) {
        in_child();
        _exit(0);
    }
    free(block);
    after();
    if (!was_forked)
        return unused;
    while (wait(&status) < 0)
        ;
    if (status != 0)
        _exit(1);
    return &fork_at;
}

int main(void)
{
    const struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    uint64_t n_threads = 0, n_children = 0;
    void *was_long_enough = &fork_at;
    dl_iterate_phdr(find_shim, NULL);
    sigaction(SIGTRAP, &action, NULL);
    for (; was_long_enough; fork_at += STEPS_A_THREAD) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, in_thread, NULL) != 0)
            return 1;
        pthread_join(thread, &was_long_enough);
        n_threads++;
        n_children += was_long_enough != NULL;
    }
    expect_freed("after", n_threads * PAIRS, n_threads * PAIRS * 77);
    expect_freed("in_child", n_children * PAIRS, n_children * PAIRS * 72);
    tally_add(expect_row("", "lost_events", AT_LEAST), 0);
    return 0;
}

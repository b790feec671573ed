/* SPDX-License-Identifier: MIT */
/* A program whose stacks have every shape of shapes.c and shapes.cpp, to be recorded: each unwind_point() allocates.
 *
 *     shapes-host FOLDER N_STEPS N_INTERRUPTS
 *
 * Loads and unloads the libraries of FOLDER one after the other, so that several lie at one address in turn; in
 * each, the single shapes and a random walk of N_STEPS; then work in them until a timer interrupted it
 * N_INTERRUPTS times and its handler allocated. */
#include "tests/support/shapes.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

static const char *const libraries[] = {"shapes_plain", "shapes_optimised", "shapes_framed",
                                        "shapes_avx", "shapes_cpp"};
enum { N_LIBRARIES = sizeof libraries / sizeof *libraries, N_ROUNDS = 2, MOST_WORK = 1000000 };

static volatile sig_atomic_t n_handled;

__attribute__((noinline)) void unwind_point(const char *shape)
{
    void *volatile block = malloc(1 + (unsigned char)shape[0]);
    free(block);
}

static void on_timer(int signal_number)
{
    (void)signal_number;
    n_handled++;
    unwind_point("timer");
}

static void interrupt(long (*work)(unsigned), long n_interrupts)
{
    const struct itimerval interval = {.it_interval.tv_usec = 300, .it_value.tv_usec = 300};
    const struct itimerval none = {.it_interval.tv_usec = 0};
    struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
    n_handled = 0;
    sigaction(SIGPROF, &action, NULL);
    work(1);
    setitimer(ITIMER_PROF, &interval, NULL);
    for (int i = 0; i < MOST_WORK && n_handled < n_interrupts; i++)
        work(200);
    setitimer(ITIMER_PROF, &none, NULL);
}

static int visit(const char *folder, const char *name, unsigned n_steps, long n_interrupts)
{
    char path[4096];
    void (*run)(void);
    void (*walk)(unsigned, unsigned);
    long (*work)(unsigned);
    snprintf(path, sizeof path, "%s/lib%s.so", folder, name);
    void *const library = dlopen(path, RTLD_NOW);
    if (!library)
        return fprintf(stderr, "%s\n", dlerror());
    *(void **)&run = dlsym(library, "shapes_run");
    *(void **)&walk = dlsym(library, "shapes_walk");
    *(void **)&work = dlsym(library, "shapes_work");
    run();
    if (walk)
        walk(n_steps, n_steps);
    if (work)
        interrupt(work, n_interrupts);
    return dlclose(library);
}

int main(int argc, char **argv)
{
    int failures = argc != 4;
    for (size_t i = 0; i < N_ROUNDS * N_LIBRARIES && !failures; i++)
        failures =
            visit(argv[1], libraries[i % N_LIBRARIES], (unsigned)atol(argv[2]), atol(argv[3]));
    return failures != 0;
}

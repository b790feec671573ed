/* SPDX-License-Identifier: MIT */
/* Stdio where it is interrupted, left, shared or undone: who made each write is still known, and none is missed.
 * The counts are at the functions; those of the signal handler are as many as there were signals. */
#include "io_victim.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>

enum { BUFFER = 4096 };

static FILE *open_stream(const char *name, bool is_buffered)
{
    FILE *const stream = fopen(io_path(name), "w");
    MUST(stream);
    if (!is_buffered)
        setvbuf(stream, NULL, _IONBF, 0);
    return stream;
}

/* ---- four threads on one stream: 97 full buffers, the rest at its closing ---- */

enum { N_THREADS = 4, N_BYTES = 100000 };
static FILE *shared;

SITE static void shares(void)
{
    for (int i = 0; i < N_BYTES; i++)
        fputc('x', shared);
}

static void *run_thread(void *argument)
{
    shares();
    return argument;
}

SITE static void closes_shared(void)
{
    MUST(fclose(shared) == 0);
}

static void share(void)
{
    enum { N_FULL = N_THREADS * N_BYTES / BUFFER };
    pthread_t threads[N_THREADS];
    shared = open_stream("io_rough.shared", true);
    for (int i = 0; i < N_THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, run_thread, NULL) == 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    closes_shared();
    expect_io("shares", "stdio.write", N_FULL, N_FULL * BUFFER);
    expect_io("closes_shared", "stdio.write", 1, N_THREADS * N_BYTES - N_FULL * BUFFER);
}

/* ---- half a line at a fork is written by both ---- */

SITE static void writes_in_child(FILE *stream)
{
    fputs("child\n", stream);
    fclose(stream);
}

SITE static void writes_in_parent(FILE *stream)
{
    fputs("parent\n", stream);
    fclose(stream);
}

static void fork_with_half_a_line(void)
{
    FILE *const stream = open_stream("io_rough.half", true);
    fputs("half ", stream);
    const pid_t child = fork();
    if (child == 0) {
        writes_in_child(stream);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    writes_in_parent(stream);
    expect("", "inherited_frees", 2); /* the stream and its buffer */
    expect_io("writes_in_child", "stdio.write", 1, 11);
    expect_io("writes_in_parent", "stdio.write", 1, 12);
}

/* ---- a handler that writes to a stream of its own, wherever it interrupts another call ---- */

enum { N_SIGNALS = 200, SIGNAL_LINE = 12 };
static FILE *handlers;
static volatile sig_atomic_t n_handled;

SITE static void writes_in_handler(int signal_number)
{
    if (n_handled == N_SIGNALS)
        return;
    n_handled++;
    fprintf(handlers, "signal %04d\n", signal_number);
}

SITE static int writes_meanwhile(FILE *stream)
{
    int n = 0;
    for (; n_handled < N_SIGNALS && n < 200 * 1000 * 1000; n++)
        fputc('y', stream);
    return n;
}

static void be_interrupted(void)
{
    const struct sigaction action = {.sa_handler = writes_in_handler};
    const struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    FILE *const stream = open_stream("io_rough.meanwhile", true);
    handlers = open_stream("io_rough.handler", false);
    MUST(sigaction(SIGALRM, &action, NULL) == 0);
    setitimer(ITIMER_REAL, &often, NULL);
    const uint64_t n_full = (uint64_t)writes_meanwhile(stream) / BUFFER;
    setitimer(ITIMER_REAL, &never, NULL);
    fclose(handlers);
    fclose(stream);
    expect_io("writes_in_handler", "stdio.write", (uint64_t)n_handled,
              (uint64_t)n_handled * SIGNAL_LINE);
    expect("writes_meanwhile", "stdio.write.calls", n_full);
}

/* ---- jumps out of a call, and then a function that no hook sees ---- */

static sigjmp_buf back;

static ssize_t jump(void *cookie, const char *bytes, size_t n_bytes)
{
    (void)cookie;
    (void)bytes;
    (void)n_bytes;
    siglongjmp(back, 1);
}

SITE static void writes_unhooked(void)
{
    psignal(SIGUSR1, "left"); /* "left: User defined signal 1\n" */
}

static void jump_out(void)
{
    FILE *const volatile leaving = fopencookie(NULL, "w", (cookie_io_functions_t){.write = jump});
    FILE *const errors = stderr;
    volatile int n_left = 10;
    setvbuf(leaving, NULL, _IONBF, 0);
    while (n_left > 0)
        if (sigsetjmp(back, 1) == 0)
            fputs("away", leaving);
        else
            n_left--;
    stderr = open_stream("io_rough.unhooked", false);
    writes_unhooked();
    fclose(stderr);
    stderr = errors;
    expect_io("writes_unhooked", "stdio.write", 1, 28);
}

/* ---- a coroutine that waits inside a stream of its own, while another writes ---- */

static ucontext_t outside, inside;

static ssize_t wait_for_bytes(void *cookie, char *bytes, size_t n_bytes)
{
    (void)cookie;
    (void)n_bytes;
    swapcontext(&inside, &outside);
    bytes[0] = 'q';
    return 1;
}

static FILE *slow;

static void read_slowly(void)
{
    MUST(fgetc(slow) == 'q');
}

SITE static void writes_between(FILE *stream)
{
    fputs("between", stream);
}

static void switch_stacks(void)
{
    static char stack[1 << 16];
    FILE *const stream = open_stream("io_rough.between", false);
    slow = fopencookie(NULL, "r", (cookie_io_functions_t){.read = wait_for_bytes});
    getcontext(&inside);
    inside.uc_stack = (stack_t){.ss_sp = stack, .ss_size = sizeof stack};
    inside.uc_link = &outside;
    makecontext(&inside, read_slowly, 0);
    swapcontext(&outside, &inside);
    writes_between(stream);
    swapcontext(&outside, &inside);
    fclose(slow);
    fclose(stream);
    expect_io("writes_between", "stdio.write", 1, 7);
}

/* ---- a thread cancelled while it reads, one with the smallest stack ---- */

static int ends[2];

static void *read_for_ever(void *argument)
{
    char line[16];
    FILE *const stream = fdopen(ends[0], "r");
    fgets(line, sizeof line, stream);
    return argument;
}

SITE static void writes_on_small_stack(void)
{
    FILE *const stream = open_stream("io_rough.small", false);
    fprintf(stream, "%d %s\n", 5, "six");
    fclose(stream);
}

static void *run_small(void *argument)
{
    writes_on_small_stack();
    return argument;
}

static void use_threads(void)
{
    pthread_t thread;
    pthread_attr_t smallest;
    void *result;
    MUST(pipe(ends) == 0);
    MUST(pthread_create(&thread, NULL, read_for_ever, NULL) == 0);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    MUST(result == PTHREAD_CANCELED);
    pthread_attr_init(&smallest);
    MUST(pthread_attr_setstacksize(&smallest, 16384) == 0);
    MUST(pthread_create(&thread, &smallest, run_small, NULL) == 0);
    pthread_join(thread, NULL);
    expect_io("writes_on_small_stack", "stdio.write", 1, 6);
}

/* ---- the stream another file, then none ---- */

SITE static void writes_anew(FILE *stream)
{
    fputs("one", stream);
    MUST(freopen(io_path("io_rough.second"), "w", stream) == stream);
    fputs("second", stream);
    fclose(stream);
}

int main(void)
{
    share();
    fork_with_half_a_line();
    be_interrupted();
    jump_out();
    switch_stacks();
    use_threads();
    writes_anew(open_stream("io_rough.first", true));
    expect_io("writes_anew", "stdio.write", 2, 9);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Hooks of what makes, names and reaps processes, and of what takes system calls away.
 *
 * A fork is announced before it happens, so that the reader can keep the parent's blocks of that very
 * moment for the child. The child is given an image of its own at once; a fork that passes no hook
 * (raw clone) is noticed at the child's first event, by a page that the kernel wipes. */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "preload/event.h"
#include "preload/hook_syscall.h"
#include "preload/real.h"
#include "preload/session.h"
#include "preload/stamp.h"
#include "preload/syscalls.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT pid_t _Fork(void);
uintptr_t process_saw_vfork(void);
void *process_saw_syscall(long number, long first, long second);

static uint32_t announce_fork(void)
{
    session_start();
    if (!session.header)
        return 0;
    const uint32_t id = atomic_fetch_add(&session.next_fork_id, 1) + 1;
    struct lane *const lane = session_enter();
    if (lane) {
        event_number(lane, TRACE_FORK, id);
        stamp_end_groups(lane);
    }
    session_leave(lane);
    thread_state.fork_id = id;
    return id;
}

static void settle_fork(uint32_t id, pid_t child)
{
    const int error = errno;
    if (child == 0) {
        session_check_fork();
        session_leave(session_enter());
    } else if (child < 0) {
        struct lane *const lane = session_enter();
        if (lane)
            event_number(lane, TRACE_FORK_FAIL, id);
        session_leave(lane);
    }
    thread_state.fork_id = 0;
    errno = error;
}

EXPORT pid_t fork(void)
{
    const uint32_t id = announce_fork();
    const pid_t child = real.fork();
    settle_fork(id, child);
    return child;
}

EXPORT pid_t _Fork(void)
{
    const uint32_t id = announce_fork();
    const pid_t child = real._Fork ? real._Fork() : real.fork();
    settle_fork(id, child);
    return child;
}

/* The parent of a daemon ends inside; only the child comes back. */
EXPORT int daemon(int keep_folder, int keep_descriptors)
{
    const uint32_t id = announce_fork();
    const int result = real.daemon(keep_folder, keep_descriptors);
    settle_fork(id, result == 0 ? 0 : -1);
    return result;
}

EXPORT pid_t forkpty(int *master_out, char *name_out, const struct termios *attributes,
                     const struct winsize *size)
{
    const uint32_t id = announce_fork();
    const pid_t child = real.forkpty(master_out, name_out, attributes, size);
    settle_fork(id, child);
    return child;
}

/* Called by the vfork hook in arch_x86_64.S before the child exists: the rings it will use are got by its
 * parent, and in the parent's name. Returns the hook that we are in, mostly none, to be put right once
 * the parent goes on: the child may have been killed inside one. */
uintptr_t process_saw_vfork(void)
{
    const int error = errno;
    session_start();
    session_leave(session_enter());
    errno = error;
    return thread_state.entered_at;
}

/* ---- reaping: the only way to learn a grandchild's exit status ---- */

static void record_exit(pid_t child, int status)
{
    if (child <= 0 || !(WIFEXITED(status) || WIFSIGNALED(status)))
        return;
    const int error = errno;
    struct lane *const lane = session_enter();
    if (lane)
        event_numbers(lane, TRACE_CHILD_EXIT, child, status);
    session_leave(lane);
    errno = error;
}

static pid_t reap(pid_t which, int *status_out, int options, struct rusage *usage_out)
{
    if (!real.wait4)
        session_start();
    int status = 0;
    int *const out =
        status_out ? status_out : &status; /* the kernel says EFAULT, not we by dying */
    const pid_t child = real.wait4(which, out, options, usage_out);
    if (child > 0)
        record_exit(child, *out);
    return child;
}

EXPORT pid_t wait(int *status_out)
{
    return reap(-1, status_out, 0, NULL);
}

EXPORT pid_t waitpid(pid_t which, int *status_out, int options)
{
    return reap(which, status_out, options, NULL);
}

EXPORT pid_t wait3(int *status_out, int options, struct rusage *usage_out)
{
    return reap(-1, status_out, options, usage_out);
}

EXPORT pid_t wait4(pid_t which, int *status_out, int options, struct rusage *usage_out)
{
    return reap(which, status_out, options, usage_out);
}

EXPORT int waitid(idtype_t kind, id_t which, siginfo_t *info, int options)
{
    if (!real.waitid)
        session_start();
    const int result = real.waitid(kind, which, info, options);
    if (result != 0 || !info || (options & WNOWAIT))
        return result;
    if (info->si_code == CLD_EXITED)
        record_exit(info->si_pid, (info->si_status & 0xff) << 8);
    else if (info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED)
        record_exit(info->si_pid, info->si_status & 0x7f);
    return result;
}

/* ---- names ---- */

static void record_name(pid_t tid, const char *name)
{
    struct lane *const lane = session_enter();
    if (lane && !session_is_guest())
        event_number_text(lane, TRACE_THREAD, tid, name);
    session_leave(lane);
}

EXPORT int pthread_setname_np(pthread_t thread, const char *name)
{
    if (!real.pthread_setname_np)
        session_start();
    const int error = real.pthread_setname_np(thread, name);
    if (error == 0 && pthread_equal(thread, pthread_self()))
        record_name(sys_tid(), name);
    return error;
}

/* ---- filters: from now on only system calls that the program makes itself are safe ---- */

static void expect_filter(void)
{
    session_start();
    atomic_store(&session.syscalls_risky, 1);
}

/* The other operations of seccomp(2) ask what there is; programs do so without ever setting one. */
static bool sets_filter(long operation)
{
    return operation == SECCOMP_SET_MODE_STRICT || operation == SECCOMP_SET_MODE_FILTER;
}

/* The kernel forbids the time stamp counter on request, and with strict seccomp. Source:
 * arch/x86/kernel/process.c, disable_TSC(). */
static bool forbids_clocks(long option, long value)
{
    return (option == PR_SET_SECCOMP && value == SECCOMP_MODE_STRICT) ||
           (option == PR_SET_TSC && value == PR_TSC_SIGSEGV);
}

static void borrow_clock(void)
{
    session_start();
    session_borrow_clock();
}

EXPORT int prctl(int option, ...)
{
    unsigned long values[4];
    va_list more;
    va_start(more, option);
    for (size_t i = 0; i < 4; i++)
        values[i] = va_arg(more, unsigned long);
    va_end(more);
    const uint32_t was_risky = atomic_load(&session.syscalls_risky);
    if (option == PR_SET_SECCOMP)
        expect_filter();
    if (forbids_clocks(option, (long)values[0]))
        borrow_clock();
    if (!real.prctl)
        session_start();
    const int result = real.prctl(option, values[0], values[1], values[2], values[3]);
    if (option == PR_SET_SECCOMP && result != 0)
        atomic_store(&session.syscalls_risky, was_risky);
    if (option == PR_SET_NAME && result == 0) {
        char name[17] = "";
        memcpy(name, (const char *)values[0], strnlen((const char *)values[0], sizeof name - 1));
        record_name(sys_tid(), name);
    }
    return result;
}

/* Called by the syscall hook in arch_x86_64.S with the arguments of syscall(2), before it jumps to
 * the function returned here. Sets no errno. */
void *process_saw_syscall(long number, long first, long second)
{
    if (!real.syscall_jump)
        session_start();
    if ((number == SYS_seccomp && sets_filter(first)) ||
        (number == SYS_prctl && first == PR_SET_SECCOMP))
        expect_filter();
    if ((number == SYS_seccomp && first == SECCOMP_SET_MODE_STRICT) ||
        (number == SYS_prctl && forbids_clocks(first, second)))
        borrow_clock();
    void *const hook = hook_syscall_of(number);
    return hook ? hook : (void *)(uintptr_t)real.syscall_jump;
}

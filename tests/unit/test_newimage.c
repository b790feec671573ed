/* SPDX-License-Identifier: MIT */
/* Files that might be exec'd, made in a folder of the test's own. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/image.h"
#include "preload/newimage.h"
#include "preload/session.h"

struct session session;
__thread int thread_in_vfork;
static struct session_header header;
static char folder[] = "/tmp/newimage-XXXXXX";

size_t image_environment(const char *name, char *value_out, size_t cap)
{
    const char *const value = getenv(name);
    if (!value || strlen(value) >= cap)
        return 0;
    strcpy(value_out, value);
    return strlen(value);
}

static const char *path_of(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *const path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const void *bytes, size_t n)
{
    const int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0755);
    assert_true(fd >= 0);
    assert_true(write(fd, bytes, n) == (ssize_t)n);
    close(fd);
}

static void write_script(const char *name, const char *interpreter, const char *rest)
{
    char text[512];
    snprintf(text, sizeof text, "#!%s%s", interpreter, rest);
    write_file(name, text, strlen(text));
}

struct program {
    Elf64_Ehdr head;
    Elf64_Phdr segments[2];
    char interpreter[64];
};

/* A program of `type` for `machine`; interpreter NULL: none. */
static struct program program_of(unsigned type, unsigned machine, const char *interpreter)
{
    struct program program = {
        .head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1},
                 .e_type = (Elf64_Half)type,
                 .e_machine = (Elf64_Half)machine,
                 .e_phoff = offsetof(struct program, segments),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 2},
        .segments = {{.p_type = PT_LOAD}, {.p_type = interpreter ? PT_INTERP : PT_NOTE}},
    };
    program.segments[1].p_offset = offsetof(struct program, interpreter);
    program.segments[1].p_filesz = sizeof program.interpreter;
    strcpy(program.interpreter, interpreter ? interpreter : "");
    return program;
}

#define GLIBC "/lib64/ld-linux-x86-64.so.2"

static void write_programs(void)
{
    const struct program dynamic = program_of(ET_DYN, EM_X86_64, GLIBC);
    const struct program elsewhere =
        program_of(ET_DYN, EM_X86_64, "/nix/store/x/lib/ld-linux-x86-64.so.2");
    const struct program musl = program_of(ET_DYN, EM_X86_64, "/lib/ld-musl-x86_64.so.1");
    const struct program fixed = program_of(ET_EXEC, EM_X86_64, NULL);
    const struct program movable = program_of(ET_DYN, EM_X86_64, NULL);
    const struct program arm = program_of(ET_DYN, EM_AARCH64, "/lib/ld-linux-aarch64.so.1");
    struct program i386 = program_of(ET_EXEC, EM_386, "/lib/ld-linux.so.2");
    struct program far = program_of(ET_DYN, EM_X86_64, GLIBC);
    struct program endless = program_of(ET_DYN, EM_X86_64, GLIBC);
    i386.head.e_ident[EI_CLASS] = ELFCLASS32;
    far.head.e_phoff = UINT64_MAX - 8;
    endless.segments[1].p_offset = UINT64_MAX;
    write_file("dynamic", &dynamic, sizeof dynamic);
    write_file("elsewhere", &elsewhere, sizeof elsewhere);
    write_file("musl", &musl, sizeof musl);
    write_file("static", &fixed, sizeof fixed);
    write_file("static-pie", &movable, sizeof movable);
    write_file("ld-linux-x86-64.so.2", &movable, sizeof movable);
    write_file("arm", &arm, sizeof arm);
    write_file("i386", &i386, sizeof i386);
    write_file("far", &far, sizeof far);
    write_file("endless", &endless, sizeof endless);
    write_file("cut", &dynamic, 40);
    write_file("magic", "\177ELF", 4);
    write_file("empty", "", 0);
    write_file("text", "echo no first line\n", 19);
    write_script("script", path_of("dynamic"), "\n");
    write_script("spaced", "  \t", "");
    write_script("with argument", path_of("static"), " -x\n");
    write_script("chain", path_of("script"), "\n");
    write_script("chain to static", path_of("with argument"), "\n");
    write_script("loop", path_of("loop"), "\n");
    write_script("nothing", "", "\n");
    write_script("gone", path_of("does not exist"), "\n");
}

static int open_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    session.header = &header;
    strcpy(header.shim_path, path_of("shim.so"));
    write_file("shim.so", "", 0);
    write_programs();
    return 0;
}

static int close_folder(void **state)
{
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void every_kind_of_file_is_told(void **state)
{
    static const struct {
        const char *name;
        enum trace_unattached reason;
        bool drop_entry;
    } rows[] = {
        {"dynamic", 0, false},
        {"elsewhere", 0, false},
        {"ld-linux-x86-64.so.2", 0, false},
        {"static-pie", TRACE_UNATTACHED_STATIC, false},
        {"static", TRACE_UNATTACHED_STATIC, false},
        {"musl", TRACE_UNATTACHED_FOREIGN, true},
        {"i386", TRACE_UNATTACHED_FOREIGN, true},
        {"arm", TRACE_UNATTACHED_FOREIGN, true},
        {"script", 0, false},
        {"with argument", TRACE_UNATTACHED_STATIC, false},
        {"chain", 0, false},
        /* The kernel will say what is wrong with these. */
        {"loop", 0, false},
        {"nothing", 0, false},
        {"gone", 0, false},
        {"spaced", 0, false},
        {"far", 0, false},
        {"endless", 0, false},
        {"cut", 0, false},
        {"magic", 0, false},
        {"empty", 0, false},
        {"text", 0, false},
        {"does not exist", 0, false},
        {".", 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct newimage found = newimage_inspect(path_of(rows[i].name), false);
        if (found.reason != rows[i].reason || found.drop_entry != rows[i].drop_entry)
            fail_msg("%s: reason %d, drop %d", rows[i].name, found.reason, found.drop_entry);
    }
}

/* A path with a space ends the interpreter's name in a `#!` line, as it does for the kernel. */
static void an_interpreters_name_ends_at_a_space(void **state)
{
    (void)state;
    assert_int_equal(newimage_inspect(path_of("chain to static"), false).reason, 0);
}

static void a_gain_of_rights_is_told(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    const struct program dynamic = program_of(ET_DYN, EM_X86_64, GLIBC);
    write_file("raised", &dynamic, sizeof dynamic);
    assert_int_equal(chmod(path_of("raised"), 04755), 0);
    assert_int_equal(newimage_inspect(path_of("raised"), false).reason, 0); /* already ours */
    assert_int_equal(chown(path_of("raised"), 1, 1), 0);
    assert_int_equal(chmod(path_of("raised"), 04755), 0);
    assert_int_equal(newimage_inspect(path_of("raised"), false).reason, TRACE_UNATTACHED_SETUID);
    assert_int_equal(chmod(path_of("raised"), 02755), 0);
    assert_int_equal(newimage_inspect(path_of("raised"), false).reason, TRACE_UNATTACHED_SETUID);
    assert_int_equal(chmod(path_of("raised"), 02745), 0); /* mandatory locking, no rights */
    assert_int_equal(newimage_inspect(path_of("raised"), false).reason, 0);
}

/* exec refuses a FIFO without opening it; what is in it is not ours to take. */
static void what_is_no_regular_file_stays_closed(void **state)
{
    (void)state;
    char bytes[8];
    assert_int_equal(mkfifo(path_of("fifo"), 0755), 0);
    const int fd = open(path_of("fifo"), O_RDWR | O_NONBLOCK);
    assert_int_equal(write(fd, "bytes", 5), 5);
    assert_int_equal(newimage_inspect(path_of("fifo"), false).reason, 0);
    assert_int_equal(read(fd, bytes, sizeof bytes), 5);
    close(fd);
    unlink(path_of("fifo"));
}

static void names_are_searched_as_execvp_does(void **state)
{
    char list[600], here[300];
    char *const saved = strdup(getenv("PATH"));
    (void)state;
    snprintf(list, sizeof list, "/does/not/exist:%s:/bin", folder);
    setenv("PATH", list, 1);
    assert_int_equal(newimage_inspect("static", true).reason, TRACE_UNATTACHED_STATIC);
    assert_int_equal(newimage_inspect("musl", true).reason, TRACE_UNATTACHED_FOREIGN);
    assert_int_equal(newimage_inspect("no such program", true).reason, 0);
    assert_int_equal(newimage_inspect(path_of("static"), true).reason, TRACE_UNATTACHED_STATIC);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(newimage_inspect("static", false).reason, TRACE_UNATTACHED_STATIC);
    for (const char *const *empty = (const char *const[]){"", ":/bin", "/bin:", "/bin::/", NULL};
         *empty; empty++) {
        setenv("PATH", *empty, 1);
        const enum trace_unattached reason = newimage_inspect("static", true).reason;
        if (**empty && reason != TRACE_UNATTACHED_STATIC)
            fail_msg("PATH=%s does not find the folder it stands in", *empty);
    }
    assert_int_equal(chdir(here), 0);
    setenv("PATH", saved, 1);
    free(saved);
}

static void where_the_shim_cannot_be_read_nothing_is_recorded(void **state)
{
    (void)state;
    unlink(header.shim_path);
    const struct newimage found = newimage_inspect(path_of("dynamic"), false);
    assert_int_equal(found.reason, TRACE_UNATTACHED_UNREADABLE);
    assert_true(found.drop_entry);
    write_file("shim.so", "", 0);
    assert_int_equal(newimage_inspect(path_of("dynamic"), false).reason, 0);
}

/* Judge two files in a process whose kernel knows no faccessat2. */
static int judge_on_an_old_kernel(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_faccessat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
        return 2;
    setenv("PATH", folder, 1);
    return newimage_inspect(path_of("dynamic"), false).reason == 0 &&
                   newimage_inspect("static", true).reason == TRACE_UNATTACHED_STATIC
               ? 0
               : 1;
}

static void an_old_kernel_will_do(void **state)
{
    int status = -1;
    (void)state;
    const pid_t child = fork();
    if (child == 0)
        _exit(judge_on_an_old_kernel());
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_file_is_told),
        cmocka_unit_test(an_interpreters_name_ends_at_a_space),
        cmocka_unit_test(a_gain_of_rights_is_told),
        cmocka_unit_test(what_is_no_regular_file_stays_closed),
        cmocka_unit_test(names_are_searched_as_execvp_does),
        cmocka_unit_test(an_old_kernel_will_do),
        cmocka_unit_test(where_the_shim_cannot_be_read_nothing_is_recorded),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}

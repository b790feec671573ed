/* SPDX-License-Identifier: MIT */
/* Real files of every kind, and what execve(2) really says of them where rules are subtle. */
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/target.h"
#include "tests/support/fixture.h"

static const struct target *inspect(const char *command)
{
    static struct target target;
    target_inspect(command, &target);
    return &target;
}

static void expect(const char *name, enum target_kind kind)
{
    const struct target *target = inspect(fixture_path(name));
    if (target->kind != kind) {
        fail_msg("%s: kind %d (%s), expected %d", name, target->kind, target->detail, kind);
    }
    assert_string_equal(target->path, fixture_path(name));
}

static void script(const char *name, const char *text)
{
    fixture_text(name, text);
    assert_int_equal(chmod(fixture_path(name), 0755), 0);
}

static int build_programs(void **state)
{
    (void)state;
    fixture_text("p.c", "int main(void) { return 0; }\n");
    fixture_text("m.c", "#include <stddef.h>\nchar heap[100]; void *malloc(size_t n)"
                        "{ return n < 100 ? heap : NULL; }\nint main(void) { return 0; }\n");
    fixture_must("cc p.c -o dynamic && cc -no-pie p.c -o nopie && cc -c p.c -o object.o && "
                 "chmod +x object.o && cc -shared -fPIC p.c -o library.so");
    fixture_must("cc -fno-builtin m.c -o own && cc -fno-builtin -rdynamic m.c -o exported && "
                 "strip exported");
    return 0;
}

static void ordinary_programs_are_fine(void **state)
{
    (void)state;
    expect("dynamic", TARGET_OK);
    expect("nopie", TARGET_OK);
    assert_false(inspect(fixture_path("dynamic"))->defines_malloc);
    const struct target *target = inspect("/lib64/ld-linux-x86-64.so.2");
    assert_int_equal(target->kind, TARGET_OK);
    target = inspect("sh");
    assert_int_equal(target->kind, TARGET_OK);
    assert_true(target->path[0] == '/');
    assert_string_equal(target->path, target->executable);
}

static void own_malloc_is_noticed(void **state)
{
    (void)state;
    expect("own", TARGET_OK);
    assert_true(inspect(fixture_path("own"))->defines_malloc);
    expect("exported", TARGET_OK);
    assert_true(inspect(fixture_path("exported"))->defines_malloc);
}

static void static_programs_are_refused(void **state)
{
    (void)state;
    fixture_must("cc -static p.c -o static");
    expect("static", TARGET_STATIC);
    fixture_must("cc -static-pie p.c -o staticpie");
    expect("staticpie", TARGET_STATIC);
    expect("library.so", TARGET_STATIC);
}

/* The dynamic program with one 16-bit field of its ELF header, or its class, changed. */
static void patched(const char *name, size_t offset, uint16_t value, size_t n_bytes)
{
    size_t n;
    char *bytes = fixture_read("dynamic", &n);
    memcpy(bytes + offset, &value, n_bytes);
    fixture_write(name, bytes, n);
    assert_int_equal(chmod(fixture_path(name), 0755), 0);
    free(bytes);
}

static void other_machines_are_named(void **state)
{
    (void)state;
    patched("arm", offsetof(Elf64_Ehdr, e_machine), EM_AARCH64, 2);
    expect("arm", TARGET_OTHER_CLASS);
    assert_string_equal(inspect(fixture_path("arm"))->detail, "64-bit AArch64");
    patched("x32", EI_CLASS, ELFCLASS32, 1);
    expect("x32", TARGET_OTHER_CLASS);
    assert_string_equal(inspect(fixture_path("x32"))->detail, "32-bit x86-64 (x32)");
    patched("odd", offsetof(Elf64_Ehdr, e_machine), 0x1234, 2);
    assert_string_equal(inspect(fixture_path("odd"))->detail, "64-bit unknown machine");
    Elf32_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_EXEC,
                         .e_machine = EM_386,
                         .e_version = EV_CURRENT};
    char file[200] = "";
    memcpy(file, &header, sizeof header);
    fixture_write("i386", file, sizeof file);
    assert_int_equal(chmod(fixture_path("i386"), 0755), 0);
    expect("i386", TARGET_OTHER_CLASS);
    assert_string_equal(inspect(fixture_path("i386"))->detail, "32-bit i386");
    if (fixture_run("cc -m32 p.c -o m32")) {
        expect("m32", TARGET_OTHER_CLASS);
    }
}

static void other_loaders_are_named(void **state)
{
    (void)state;
    fixture_must("cp dynamic ld-musl-x86_64.so.1");
    fixture_must("cc p.c -o musl -Wl,--dynamic-linker=\"$PWD/ld-musl-x86_64.so.1\"");
    expect("musl", TARGET_OTHER_LIBC);
    assert_non_null(strstr(inspect(fixture_path("musl"))->detail, "ld-musl-x86_64.so.1"));
    fixture_must("cc p.c -o lost -Wl,--dynamic-linker=/no/such/loader.so");
    expect("lost", TARGET_BAD_INTERPRETER);
    assert_string_equal(inspect(fixture_path("lost"))->detail,
                        "/no/such/loader.so: No such file or directory");
}

static void files_that_are_no_programs(void **state)
{
    (void)state;
    script("empty", "");
    expect("empty", TARGET_NOT_EXECUTABLE);
    script("text", "echo no interpreter line\n");
    expect("text", TARGET_NO_FORMAT);
    script("short", "\177ELF");
    expect("short", TARGET_NO_FORMAT);
    expect("object.o", TARGET_NO_FORMAT);
    fixture_text("plain", "#!/bin/sh\n");
    assert_int_equal(chmod(fixture_path("plain"), 0644), 0);
    expect("plain", TARGET_NOT_EXECUTABLE);
    fixture_must("mkdir -p folder; rm -f fifo; mkfifo -m 755 fifo; ln -sf loop loop");
    expect("folder", TARGET_NOT_EXECUTABLE);
    assert_string_equal(inspect(fixture_path("folder"))->detail, "is a folder");
    expect("fifo", TARGET_NOT_EXECUTABLE);
    expect("loop", TARGET_NOT_EXECUTABLE);
    static const char *const missing[] = {"", "no-such-command-here", "/no/such/file",
                                          "/etc/passwd/below"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        assert_int_equal(inspect(missing[i])->kind, TARGET_NOT_FOUND);
        assert_string_equal(inspect(missing[i])->path, "");
    }
    char endless[2 * PATH_MAX];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_int_equal(inspect(endless)->kind, TARGET_NOT_FOUND);
    endless[0] = '/';
    assert_int_equal(inspect(endless)->kind, TARGET_NOT_FOUND);
}

static void scripts_lead_to_their_interpreter(void **state)
{
    (void)state;
    script("sh", "#!/bin/sh\nexit 0\n");
    expect("sh", TARGET_OK);
    assert_string_equal(inspect(fixture_path("sh"))->executable, "/bin/sh");
    script("spaces", "#! \t/bin/sh  -e\nexit 0\n");
    assert_string_equal(inspect(fixture_path("spaces"))->executable, "/bin/sh");
    script("no-newline", "#!/bin/sh");
    expect("no-newline", TARGET_OK);
    script("nothing", "#!  \n");
    expect("nothing", TARGET_NO_FORMAT);
    script("missing", "#!/no/such/interpreter -x\n");
    expect("missing", TARGET_BAD_INTERPRETER);
    assert_string_equal(inspect(fixture_path("missing"))->detail,
                        "/no/such/interpreter: No such file or directory");
    fixture_must("cc -static p.c -o /tmp/heapwise-static.$$ && echo \"#!/tmp/heapwise-static.$$\" "
                 ">through-static && chmod +x through-static");
    expect("through-static", TARGET_STATIC);
    const struct target *target = inspect(fixture_path("through-static"));
    assert_int_equal(strncmp(target->detail, "its interpreter /tmp/heapwise-static.", 37), 0);
    assert_int_equal(unlink(target->executable), 0);
    script("dos", "#!/bin/sh\r\nexit 0\r\n");
    expect("dos", TARGET_BAD_INTERPRETER);
    assert_non_null(strstr(inspect(fixture_path("dos"))->detail, "/bin/sh?: "));
    assert_non_null(strstr(inspect(fixture_path("dos"))->detail, "carriage return"));
}

/* Status of really running it: 0, or 126 when execve fails. */
static int run_for_real(const char *path)
{
    const pid_t pid = fork();
    if (pid == 0) {
        execl(path, path, (char *)NULL);
        _exit(126);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void chains_of_scripts_end_where_the_kernel_ends_them(void **state)
{
    (void)state;
    /* An interpreter's path must not hold spaces, and the folder's does. */
    char folder[] = "/tmp/heapwise-chain.XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[PATH_MAX];
    char previous[PATH_MAX] = "/bin/true";
    for (int i = 1; i <= 8; i++) {
        snprintf(path, sizeof path, "%s/s%d", folder, i);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fprintf(file, "#!%s\n", previous);
        fclose(file);
        assert_int_equal(chmod(path, 0755), 0);
        const bool runs = run_for_real(path) == 0;
        assert_int_equal(inspect(path)->kind, runs ? TARGET_OK : TARGET_BAD_INTERPRETER);
        strcpy(previous, path);
    }
    for (int i = 1; i <= 8; i++) {
        snprintf(path, sizeof path, "%s/s%d", folder, i);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/self", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!%s\n", path);
    fclose(file);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(inspect(path)->kind, TARGET_BAD_INTERPRETER);
    unlink(path);
    rmdir(folder);
}

static void path_is_searched_as_execvp_does(void **state)
{
    (void)state;
    const char *saved = getenv("PATH");
    char *old = strdup(saved == NULL ? "/bin:/usr/bin" : saved);
    fixture_must("mkdir -p a b c && printf x >a/tool && chmod 644 a/tool && cp dynamic b/tool && "
                 "cp dynamic c/tool && mkdir -p a/dir b/dir && cp dynamic here");
    char list[4 * PATH_MAX];
    snprintf(list, sizeof list, "/no/such:%s:%s:%s", fixture_path("a"), fixture_path("b"),
             fixture_path("c"));
    setenv("PATH", list, 1);
    assert_int_equal(inspect("tool")->kind, TARGET_OK); /* EACCES in a/, found in b/ */
    assert_string_equal(inspect("tool")->path, fixture_path("b/tool"));
    assert_int_equal(inspect("dir")->kind, TARGET_NOT_EXECUTABLE);
    assert_int_equal(inspect("none")->kind, TARGET_NOT_FOUND);
    setenv("PATH", fixture_path("a"), 1);
    assert_int_equal(inspect("tool")->kind, TARGET_NOT_EXECUTABLE); /* remembered */
    assert_string_equal(inspect("tool")->path, fixture_path("a/tool"));
    char folder[PATH_MAX];
    assert_non_null(getcwd(folder, sizeof folder));
    assert_int_equal(chdir(fixture_folder()), 0);
    setenv("PATH", "/no/such:", 1); /* empty entry: the current folder */
    assert_string_equal(inspect("here")->path, "here");
    setenv("PATH", "", 1);
    assert_string_equal(inspect("here")->path, "here");
    assert_int_equal(chdir(folder), 0);
    unsetenv("PATH");
    assert_int_equal(inspect("sh")->kind, TARGET_OK);
    setenv("PATH", old, 1);
    free(old);
}

/* Kind of `path` for another user, asked in a child that becomes him. */
static int kind_for_user(const char *path, unsigned user)
{
    const pid_t pid = fork();
    if (pid == 0) {
        if (setgid(user) != 0 || setuid(user) != 0) {
            _exit(99);
        }
        _exit((int)inspect(path)->kind);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void rights_count_when_they_would_change(void **state)
{
    (void)state;
    if (getuid() != 0) {
        print_message("# needs root\n");
        skip();
    }
    fixture_must("cp dynamic suid && chmod 4755 suid && cp dynamic sgid && chmod 2755 sgid && "
                 "cp dynamic lock && chmod 2744 lock && cp dynamic other && chown 12 other && "
                 "chmod 4755 other && cp dynamic caps && chmod 755 . ");
    expect("suid", TARGET_OK); /* root's own */
    expect("sgid", TARGET_OK);
    expect("other", TARGET_SETUID);
    assert_string_equal(inspect(fixture_path("other"))->detail, "set-user-ID, owned by user 12");
    assert_int_equal(kind_for_user(fixture_path("suid"), 1234), TARGET_SETUID);
    assert_int_equal(kind_for_user(fixture_path("sgid"), 1234), TARGET_SETUID);
    assert_int_equal(kind_for_user(fixture_path("other"), 12), TARGET_OK);
    assert_int_equal(kind_for_user(fixture_path("dynamic"), 1234), TARGET_OK);
    const struct vfs_cap_data data = {
        .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
        .data[0].permitted = 1u << CAP_NET_RAW,
    };
    if (setxattr(fixture_path("caps"), "security.capability", &data, sizeof data, 0) == 0) {
        expect("caps", TARGET_OK); /* root has them already */
        assert_int_equal(kind_for_user(fixture_path("caps"), 1234), TARGET_SETUID);
    }
}

static void broken_files_are_read_safely(void **state)
{
    (void)state;
    size_t n;
    char *bytes = fixture_read("dynamic", &n);
    srand(3);
    for (int round = 0; round < 400; round++) {
        char *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, bytes, n);
        for (int i = 0; i < 4; i++) {
            copy[4 + rand() % 800] = (char)rand(); /* headers; the magic stays */
        }
        fixture_write("broken", copy, round % 2 == 0 ? n : (size_t)rand() % n);
        assert_int_equal(chmod(fixture_path("broken"), 0755), 0);
        const struct target *target = inspect(fixture_path("broken"));
        assert_true(target->kind <= TARGET_BAD_INTERPRETER);
        assert_true(strpbrk(target->detail, "\n\r\033") == NULL);
        free(copy);
    }
    free(bytes);
}

static void every_kind_has_words_and_a_status(void **state)
{
    (void)state;
    for (int kind = TARGET_OK; kind <= TARGET_BAD_INTERPRETER; kind++) {
        assert_true(target_reason((enum target_kind)kind)[0] != '\0');
        assert_non_null(target_way_out((enum target_kind)kind));
        const int expected = kind == TARGET_OK ? 0 : kind == TARGET_NOT_FOUND ? 127 : 126;
        assert_int_equal(target_exit_status((enum target_kind)kind), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_programs_are_fine),
        cmocka_unit_test(own_malloc_is_noticed),
        cmocka_unit_test(static_programs_are_refused),
        cmocka_unit_test(other_machines_are_named),
        cmocka_unit_test(other_loaders_are_named),
        cmocka_unit_test(files_that_are_no_programs),
        cmocka_unit_test(scripts_lead_to_their_interpreter),
        cmocka_unit_test(chains_of_scripts_end_where_the_kernel_ends_them),
        cmocka_unit_test(path_is_searched_as_execvp_does),
        cmocka_unit_test(rights_count_when_they_would_change),
        cmocka_unit_test(broken_files_are_read_safely),
        cmocka_unit_test(every_kind_has_words_and_a_status),
    };
    return cmocka_run_group_tests(tests, build_programs, NULL);
}

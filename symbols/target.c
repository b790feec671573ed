/* SPDX-License-Identifier: MIT */
/* Can the shim be loaded into this command?
 *
 *   command ──PATH──► file ──#!──► file ──#!──► ... ──► ELF ──► machine, interpreter, rights, malloc
 *
 * Each step that fails names what it saw. The rules are the kernel's (fs/exec.c, fs/binfmt_script.c,
 * fs/binfmt_elf.c, security/commoncap.c) and execvp(3)'s, as measured. */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "symbols/elf_image.h"
#include "symbols/symtab.h"

#define LOADER_NAME "ld-linux-x86-64.so.2"

enum {
    MAX_SCRIPTS = 5,         /* the kernel follows five `#!` lines, then says ELOOP */
    SCRIPT_LINE_BYTES = 256, /* and reads this much of a line (BINPRM_BUF_SIZE) */
};

static const struct {
    const char *reason;
    const char *way_out;
    int exit_status;
} kinds[] = {
    [TARGET_OK] = {"can be profiled", "", 0},
    [TARGET_NOT_FOUND] = {"command not found", "", 127},
    [TARGET_NOT_EXECUTABLE] = {"cannot be executed", "check the name and the file's permissions",
                               126},
    [TARGET_NO_FORMAT] = {"neither an ELF program nor a script with a #! line",
                          "for a shell script, name the shell: heapwise run -- sh FILE", 126},
    [TARGET_STATIC] = {"statically linked, so nothing can be preloaded into it",
                       "link it dynamically (without -static) and run it again", 126},
    [TARGET_SETUID] = {"runs with other rights than yours, so the loader ignores preloads",
                       "record it as the user it runs as, or a copy without those rights", 126},
    [TARGET_OTHER_CLASS] = {"not a 64-bit x86-64 program", "build it for x86-64 and run it again",
                            126},
    [TARGET_OTHER_LIBC] = {"does not use glibc, and the recorder is built for glibc",
                           "build it against glibc and run it again", 126},
    [TARGET_BAD_INTERPRETER] = {"its interpreter is missing or cannot be run",
                                "install the interpreter, or correct the #! line", 126},
};

/* Write what was seen, with control characters shown as '?': it comes from a file and goes to a
 * terminal. */
__attribute__((format(printf, 3, 4))) static void
settle(struct target *target, enum target_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(target->detail, sizeof target->detail, format, arguments);
    va_end(arguments);
    for (char *c = target->detail; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            *c = '?';
        }
    }
    target->kind = kind;
}

/* 0 when the file could be given to execve, else the errno, negative. */
static int check_executable(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return -EACCES;
    }
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0 ? -errno : 0;
}

/* Errors after which execvp tries the next folder. */
static bool is_elsewhere(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -ESTALE || error == -ENODEV ||
           error == -ETIMEDOUT || error == -ENAMETOOLONG;
}

/* Search PATH. A file that may not be run is remembered and reported when nothing better follows. */
static int search_path(const char *command, char *path, size_t capacity)
{
    const char *list = getenv("PATH");
    list = list == NULL ? "/bin:/usr/bin" : list; /* execvp's own default, confstr(_CS_PATH) */
    int result = -ENOENT;
    char candidate[PATH_MAX];
    for (bool more = true; more;) {
        const size_t n_chars = strcspn(list, ":");
        const char *slash = n_chars == 0 ? "" : "/"; /* an empty entry is the current folder */
        const int n =
            snprintf(candidate, sizeof candidate, "%.*s%s%s", (int)n_chars, list, slash, command);
        const int error =
            n < 0 || (size_t)n >= sizeof candidate ? -ENAMETOOLONG : check_executable(candidate);
        if (error == 0 || (!is_elsewhere(error) && result == -ENOENT)) {
            snprintf(path, capacity, "%s", candidate);
            result = error;
        }
        if (error == 0 || (error != -EACCES && !is_elsewhere(error))) {
            return error;
        }
        more = list[n_chars] == ':';
        list += n_chars + more;
    }
    return result;
}

static int find_command(const char *command, struct target *target)
{
    if (command[0] == '\0') {
        return -ENOENT;
    }
    if (strchr(command, '/') == NULL) {
        return search_path(command, target->path, sizeof target->path);
    }
    if (strlen(command) >= sizeof target->path) {
        return -ENAMETOOLONG;
    }
    const int error = check_executable(command);
    if (error != -ENOENT && error != -ENOTDIR) {
        snprintf(target->path, sizeof target->path, "%s", command);
    }
    return error;
}

static void settle_not_runnable(struct target *target, int error)
{
    struct stat status;
    if (target->path[0] == '\0' || error == -ENOENT || error == -ENOTDIR) {
        settle(target, TARGET_NOT_FOUND, "%s", error == -ENOENT ? "" : strerror(-error));
    } else if (stat(target->path, &status) == 0 && S_ISDIR(status.st_mode)) {
        settle(target, TARGET_NOT_EXECUTABLE, "is a folder");
    } else {
        settle(target, TARGET_NOT_EXECUTABLE, "%s", strerror(-error));
    }
}

/* Read the first bytes of the file. Returns how many, or the errno, negative. */
static ssize_t read_start(const char *path, char *start, size_t capacity)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return -errno;
    }
    ssize_t n;
    do {
        n = pread(fd, start, capacity, 0);
    } while (n < 0 && errno == EINTR);
    const ssize_t result = n < 0 ? -errno : n;
    close(fd);
    return result;
}

/* Cut the interpreter's name out of a `#!` line, in place. Returns NULL when there is none. */
static char *script_interpreter(char *line)
{
    char *name = line + 2;
    name += strspn(name, " \t");
    name[strcspn(name, " \t\n")] = '\0';
    return name[0] == '\0' ? NULL : name;
}

/* Follow one `#!` line. Returns true when target->executable now is the interpreter to look at. */
static bool follow_script(struct target *target, char *line)
{
    const char *name = script_interpreter(line);
    if (name == NULL) {
        settle(target, TARGET_NO_FORMAT, "#! line names no interpreter");
        return false;
    }
    const int error = check_executable(name);
    snprintf(target->executable, sizeof target->executable, "%s", name);
    if (error != 0) {
        const bool dos = name[strlen(name) - 1] == '\r';
        settle(target, TARGET_BAD_INTERPRETER, "%s: %s%s", name, strerror(-error),
               dos ? " (the line ends in a carriage return)" : "");
        return false;
    }
    return true;
}

static const char *machine_name(unsigned machine)
{
    static const struct {
        unsigned machine;
        const char *name;
    } machines[] = {{EM_386, "i386"},        {EM_X86_64, "x86-64"}, {EM_ARM, "Arm"},
                    {EM_AARCH64, "AArch64"}, {EM_RISCV, "RISC-V"},  {EM_PPC64, "PowerPC 64"},
                    {EM_S390, "IBM Z"},      {EM_MIPS, "MIPS"}};
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        if (machines[i].machine == machine) {
            return machines[i].name;
        }
    }
    return "unknown machine";
}

/* Class, byte order and machine lie at the same place in all ELF headers. */
static bool is_native(struct target *target, const unsigned char *start, size_t n_bytes)
{
    const Elf64_Ehdr *header = (const void *)start;
    if (n_bytes < sizeof *header) {
        settle(target, TARGET_NO_FORMAT, "ELF header is cut short");
        return false;
    }
    const bool big = start[EI_DATA] == ELFDATA2MSB;
    const unsigned machine =
        big ? (unsigned)(start[18] << 8 | start[19]) : (unsigned)(start[19] << 8 | start[18]);
    if (start[EI_CLASS] != ELFCLASS64 || big || machine != EM_X86_64) {
        settle(target, TARGET_OTHER_CLASS, "%s %s%s",
               start[EI_CLASS] == ELFCLASS32 ? "32-bit" : "64-bit", machine_name(machine),
               machine == EM_X86_64 && !big ? " (x32)" : "");
        return false;
    }
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN) {
        settle(target, TARGET_NO_FORMAT, "ELF file, but no program (object or core file)");
        return false;
    }
    return true;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Return the text of PT_INTERP, NULL when there is none; "" when it is broken. */
static const char *elf_interpreter(const struct elf_image *image)
{
    size_t n_headers;
    if (elf_getphdrnum(image->elf, &n_headers) != 0) {
        return "";
    }
    for (size_t i = 0; i < n_headers; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(image->elf, (int)i, &header) == NULL) {
            return "";
        }
        if (header.p_type != PT_INTERP) {
            continue;
        }
        if (header.p_offset >= image->size_bytes || header.p_filesz < 2 ||
            header.p_filesz > image->size_bytes - header.p_offset) {
            return "";
        }
        const char *name = (const char *)image->bytes + header.p_offset;
        return name[header.p_filesz - 1] == '\0' ? name : "";
    }
    return NULL;
}

/* The loader run as a command: it has no interpreter, but loads the real program, and our preload. */
static bool is_loader(const char *executable)
{
    char real[PATH_MAX];
    return strcmp(base_name(executable), LOADER_NAME) == 0 ||
           (realpath(executable, real) != NULL && strcmp(base_name(real), LOADER_NAME) == 0);
}

static bool check_interpreter(struct target *target, const struct elf_image *image)
{
    const char *name = elf_interpreter(image);
    if (name == NULL) {
        if (!is_loader(target->executable)) {
            settle(target, TARGET_STATIC, "no dynamic loader is named in it");
            return false;
        }
        return true;
    }
    if (name[0] == '\0') {
        settle(target, TARGET_NO_FORMAT, "ELF file whose loader entry is broken");
        return false;
    }
    const int error = check_executable(name);
    if (error != 0) {
        settle(target, TARGET_BAD_INTERPRETER, "%s: %s", name, strerror(-error));
        return false;
    }
    if (strcmp(base_name(name), LOADER_NAME) != 0) {
        settle(target, TARGET_OTHER_LIBC, "its loader is %s", name);
        return false;
    }
    return true;
}

/* Whether the file's capabilities would give a user who is not root something. */
static bool gains_capabilities(const char *path)
{
    struct vfs_ns_cap_data data = {0};
    if (getuid() == 0 || getxattr(path, "security.capability", &data, sizeof data) <= 0) {
        return false;
    }
    return data.data[0].permitted != 0 || data.data[1].permitted != 0;
}

/* The loader drops preloads when exec changes what the process may do (AT_SECURE): not for root's own
 * files run by root, not on a nosuid mount, not under no_new_privs. */
static bool check_rights(struct target *target)
{
    struct stat status;
    struct statvfs mount;
    const char *path = target->executable;
    if (stat(path, &status) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
        (statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOSUID) != 0)) {
        return true;
    }
    if ((status.st_mode & S_ISUID) != 0 && status.st_uid != getuid()) {
        settle(target, TARGET_SETUID, "set-user-ID, owned by user %u", (unsigned)status.st_uid);
    } else if ((status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
               status.st_gid != getgid()) {
        settle(target, TARGET_SETUID, "set-group-ID, of group %u", (unsigned)status.st_gid);
    } else if (gains_capabilities(path)) {
        settle(target, TARGET_SETUID, "has file capabilities");
    } else {
        return true;
    }
    return false;
}

static void inspect_elf(struct target *target, const unsigned char *start, size_t n_bytes)
{
    struct elf_image image;
    if (!is_native(target, start, n_bytes)) {
        return;
    }
    if (elf_image_open(target->executable, ELF_BYTES_NAMES, &image) != 0) {
        settle(target, TARGET_NO_FORMAT, "ELF file that cannot be read");
        return;
    }
    if (check_interpreter(target, &image) && check_rights(target)) {
        target->defines_malloc = !is_loader(target->executable) && symtab_defines(&image, "malloc");
        settle(target, TARGET_OK, "%s", target->defines_malloc ? "defines malloc itself" : "");
    }
    elf_image_fini(&image);
}

/* Say that it is the script's interpreter that is refused, not the script. */
static void name_interpreter(struct target *target)
{
    char seen[sizeof target->detail];
    memcpy(seen, target->detail, sizeof seen);
    settle(target, target->kind, "its interpreter %.160s: %s", target->executable, seen);
}

void target_inspect(const char *command, struct target *target_out)
{
    struct target *target = target_out;
    *target = (struct target){.kind = TARGET_NOT_FOUND};
    const int error = find_command(command, target);
    if (error != 0) {
        settle_not_runnable(target, error);
        return;
    }
    memcpy(target->executable, target->path, sizeof target->executable);
    for (int n_scripts = 0;; n_scripts++) {
        _Alignas(Elf64_Ehdr) char start[SCRIPT_LINE_BYTES + 1] = "";
        const ssize_t n_bytes = read_start(target->executable, start, SCRIPT_LINE_BYTES);
        if (n_bytes >= SELFMAG && memcmp(start, ELFMAG, SELFMAG) == 0) {
            inspect_elf(target, (const unsigned char *)start, (size_t)n_bytes);
            if (n_scripts > 0 && target->kind != TARGET_OK) {
                name_interpreter(target);
            }
            return;
        }
        if (n_bytes < 2 || start[0] != '#' || start[1] != '!') {
            settle(target, n_bytes == 0 ? TARGET_NOT_EXECUTABLE : TARGET_NO_FORMAT, "%s",
                   n_bytes == 0  ? "the file is empty"
                   : n_bytes < 0 ? strerror((int)-n_bytes)
                                 : "");
            return;
        }
        if (n_scripts == MAX_SCRIPTS) {
            settle(target, TARGET_BAD_INTERPRETER, "#! lines lead on and on: %s",
                   target->executable);
            return;
        }
        if (!follow_script(target, start)) {
            return;
        }
    }
}

const char *target_reason(enum target_kind kind)
{
    return kinds[kind].reason;
}

const char *target_way_out(enum target_kind kind)
{
    return kinds[kind].way_out;
}

int target_exit_status(enum target_kind kind)
{
    return kinds[kind].exit_status;
}

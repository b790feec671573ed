/* SPDX-License-Identifier: MIT */
/* Command line options, driven by a table.
 *
 * A command describes its options as rows of `struct option_spec` whose `offset` says which member of
 * its own struct of values the option fills; options_parse() does the rest, the same way for every
 * command: `--name value`, `--name=value`, `-x value`, `-xvalue`, bundles of flags, `--` as the end.
 *
 *     struct values { bool quiet; const char *output; uint64_t limit_bytes; };
 *     static const struct option_spec specs[] = {
 *         {"quiet", 'q', OPTION_FLAG, offsetof(struct values, quiet), NULL, NULL, "say less"},
 *         {"output", 'o', OPTION_TEXT, offsetof(struct values, output), "FILE", NULL, "write here"},
 *     }; */
#ifndef HEAPWISE_CLI_OPTIONS_H
#define HEAPWISE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_kind {
    OPTION_FLAG,          /* bool: set to true */
    OPTION_TEXT,          /* const char *: the argument, never empty */
    OPTION_TEXT_OPTIONAL, /* const char *: `--name=value`; `--name` alone stores the first choice */
    OPTION_CHOICE,        /* const char *: the row of `choices` that was named */
    OPTION_COUNT,         /* uint64_t: a decimal number */
    OPTION_LIST,          /* struct option_list: all arguments of an option that is repeated */
    OPTION_SIZE, /* uint64_t: bytes; K, M, G, T multiply by 1024 (KiB and KB mean the same) */
};

enum { OPTION_LIST_MAX = 16 };

/* What repeated options of kind OPTION_LIST give, in their order. Zero it. */
struct option_list {
    const char *values[OPTION_LIST_MAX];
    size_t n;
};

struct option_spec {
    const char *name; /* without "--" */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t offset;
    const char *value_name;     /* for the help: "FILE" */
    const char *const *choices; /* NULL-terminated; of CHOICE and TEXT_OPTIONAL */
    const char *help;           /* one line */
};

/* Why a command line was refused; both strings are one line, not escaped yet. */
struct option_error {
    char what[128]; /* the option as it was typed */
    char why[256];
};

enum option_order {
    OPTIONS_ANYWHERE, /* operands and options may be mixed: `report trace -o x` */
    OPTIONS_FIRST,    /* the first operand ends the options: `run CMD -o x` gives -o to CMD */
};

struct option_set {
    const struct option_spec *specs;
    size_t n;
    enum option_order order;
};

#define OPTIONS_HELP 1 /* --help or -h was met */

/* Read argv[1..argc).
 *
 * Fills the struct at `values`, whose members keep what they held where an option is absent; the last of
 * repeated options wins, but for OPTION_LIST. Operands are moved behind the options, in their order; *operands_out is the
 * index of the first. Strings point into argv or into the table. Returns 0, OPTIONS_HELP, or -EINVAL
 * with *error_out. */
int options_parse(const struct option_set *set, int argc, char **argv, void *values,
                  int *operands_out, struct option_error *error_out);

/* Read a size such as "4096", "64K", "1.5G". Returns 0, -EINVAL, or -ERANGE when it exceeds 2^63. */
int options_size(const char *text, uint64_t *bytes_out);

/* Print the table of options, two columns, as wide as 80. */
void options_print(const struct option_set *set, FILE *out);

#endif

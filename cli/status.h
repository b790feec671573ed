/* SPDX-License-Identifier: MIT */
/* Exit codes; docs/heapwise.1 says the same to users. */
#ifndef HEAPWISE_CLI_STATUS_H
#define HEAPWISE_CLI_STATUS_H

enum {
    STATUS_OK = 0,
    STATUS_EXCEEDED = 1, /* `findings`: one is as severe as --min-severity */
    STATUS_USAGE = 2,    /* usage, an input that cannot be read, an output that cannot be written */
    STATUS_RUN_FAILED = 125,  /* `run`: heapwise itself failed, or usage */
    STATUS_RUN_REFUSED = 126, /* `run`: found, but cannot be run or profiled */
    STATUS_RUN_MISSING = 127, /* `run`: not found */
    STATUS_PIPE = 141,        /* the reader of standard output has gone, where SIGPIPE is ignored */
};

#endif

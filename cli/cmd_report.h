/* SPDX-License-Identifier: MIT */
/* The report, also for `run --report`. */
#ifndef HEAPWISE_CLI_CMD_REPORT_H
#define HEAPWISE_CLI_CMD_REPORT_H

/* Print the report of the trace at `trace` on standard output, in the format of that name (NULL: text),
 * with the options' defaults. Prints errors itself. Returns the exit code of `heapwise report`. */
int report_print(const char *trace, const char *format);

#endif

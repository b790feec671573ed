/* SPDX-License-Identifier: MIT */
/* What heapwise says on standard error: one line, `heapwise: WHAT: WHY`, then perhaps the way out. */
#ifndef HEAPWISE_CLI_MESSAGE_H
#define HEAPWISE_CLI_MESSAGE_H

/* Print `heapwise: WHAT: WHY`. Both may hold text from outside: control characters are escaped. */
__attribute__((format(printf, 2, 3))) void message_error(const char *what, const char *format, ...);

/* Print `heapwise: WHAT` as the second line. */
__attribute__((format(printf, 1, 2))) void message_hint(const char *format, ...);

#endif

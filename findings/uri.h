/* SPDX-License-Identifier: MIT */
/* Paths as URIs (RFC 3986, RFC 8089). */
#ifndef HEAPWISE_FINDINGS_URI_H
#define HEAPWISE_FINDINGS_URI_H

#include "report/buffer.h"

/* Add a path as a URI reference: an absolute one with "file://" in front, of any other the path alone. Bytes
 * that are not allowed there are %XX. */
void uri_add_path(struct buffer *out, const char *path);

#endif

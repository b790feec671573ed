/* SPDX-License-Identifier: MIT */
/* The working folder: what relative paths begin at. Raw system calls only; nothing where a filter may forbid
 * them, or where the folder lies outside of the process's root. */
#ifndef HEAPWISE_PRELOAD_FOLDER_H
#define HEAPWISE_PRELOAD_FOLDER_H

#include "preload/lane.h"

/* Record where it is. */
void folder_tell(struct lane *lane);

/* The same from a hook, after it moved; nothing in a vfork child, which has a folder of its own. */
void folder_moved(void);

#endif

/* SPDX-License-Identifier: MIT */
/* The end of a recording: the last events, losses, names, clock and end mark. */
#ifndef HEAPWISE_COLLECTOR_FINISH_H
#define HEAPWISE_COLLECTOR_FINISH_H

struct recording;

/* Take leave of programs that still run, write the end of the trace and close it. */
void finish_recording(struct recording *recording);

#endif

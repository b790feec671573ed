/* SPDX-License-Identifier: MIT */
/* What one record of input and output does to the model. */
#ifndef HEAPWISE_READER_IO_EVENTS_H
#define HEAPWISE_READER_IO_EVENTS_H

#include "reader/model.h"

/* Apply a record of a ring; those that are not about input and output are passed over. Of TRACE_THREAD
 * the name is taken. 0 or -ENOMEM. */
int io_events_apply(struct model *model, uint32_t stream, const struct record *record);

/* The collector's TRACE_PROCESS_IO. */
void io_events_process_io(struct model *model, const struct record_kernel_io *counts);

/* The next thread begins; a thread is over. */
int io_events_add_thread(struct model *model, uint32_t image, int32_t tid);
void io_events_thread_over(struct model *model, uint32_t thread);

/* One image follows another in the same process: what was open may be so still, opened by nobody. */
void io_events_exec(struct model_image *image, struct model_image *before);

#endif

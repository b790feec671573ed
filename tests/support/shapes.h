/* SPDX-License-Identifier: MIT */
/* Stacks of many shapes. Each shape calls unwind_point(), which the test defines, at its inner end.
 * shapes.c is built several times with other compiler options, shapes.cpp once, each into a library
 * of its own that the test loads with dlopen; both export shapes_run(). */
#ifndef HEAPWISE_TESTS_SHAPES_H
#define HEAPWISE_TESTS_SHAPES_H

#ifdef __cplusplus
extern "C" {
#endif

void unwind_point(const char *shape);
void shapes_run(void);

/* Call unwind_point() at some thousand places of random stacks made of unlike frames. */
void shapes_walk(unsigned seed, unsigned n_steps);

/* Work in frames of all kinds without calling unwind_point(), for a timer to interrupt. */
long shapes_work(unsigned n_rounds);

#ifdef __cplusplus
}
#endif

#endif

/*
 * lembed_threads.c - LD_PRELOAD for the benchmark: sqlite-lembed's threads.
 *
 * The package runs every graph on four threads that wait actively for each
 * other, and has no setting for it; with fewer free cores than four they
 * wait most of the time.  This stands before the function that plans a graph
 * and sets the number, so that one thread is compared with one.
 *
 * LEMBED_LIBRARY: path of the library with the real function.
 * LEMBED_THREADS: the number, 1 without it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

/* It returns a struct in memory: the first argument is where. */
typedef void *plan_function(void *result, const void *graph, int threads);

void *ggml_graph_plan(void *result, const void *graph, int threads);

void *
ggml_graph_plan(void *result, const void *graph, int threads)
{
    static plan_function *real;
    const char *wanted = getenv("LEMBED_THREADS");

    (void) threads;
    if (real == NULL) {
        void *library = dlopen(getenv("LEMBED_LIBRARY"), RTLD_NOW);

        real = (plan_function *) dlsym(library, "ggml_graph_plan");
    }
    return real(result, graph, wanted == NULL ? 1 : atoi(wanted));
}

/*
 * Steps of a logarithm.
 */
#include "tests/bench/support/latencies.h"

#include <math.h>
#include <stddef.h>

void latencies_add(struct latencies *latencies, int64_t us)
{
    double step = us < 1 ? 0 : log((double)us) * LATENCY_STEPS_PER_E;

    if (step > LATENCY_STEPS - 1)
        step = LATENCY_STEPS - 1;
    latencies->counts[(size_t)step]++;
    latencies->total++;
}

double latencies_quantile_ms(const struct latencies *latencies, double part)
{
    int64_t below = (int64_t)(part * (double)(latencies->total - 1));
    size_t step = 0;

    if (latencies->total == 0)
        return 0;
    while (below >= latencies->counts[step])
        below -= latencies->counts[step++];
    return exp(((double)step + 0.5) / LATENCY_STEPS_PER_E) / 1e3;
}

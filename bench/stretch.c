/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stretch-cost: what it costs to play one second of one output a little faster (audio/stretch.h), in
 * the way a voice does it. Says nanoseconds of processor time for a frame.
 */
#include "audio/stretch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RATE_HZ 48000
#define CHUNK   960
#define SECONDS 60
#define STEP    (1 + 300e-6)

static double cpu_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(void)
{
	static struct stretch_table table;
	static float frames[STRETCH_TAPS + CHUNK + 2];
	float made[CHUNK];
	struct stretch stretch;
	double sum = 0;

	stretch_table_init(&table);
	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
		frames[i] = 0.5F * sinf((float)i);
	stretch_init(&stretch, frames);
	double before = cpu_seconds();
	for (size_t done = 0; done < (size_t)SECONDS * RATE_HZ; done += CHUNK) {
		stretch_run(&stretch, &table, frames, CHUNK, STEP, made);
		sum += (double)made[done % CHUNK];
	}
	double seconds = cpu_seconds() - before;
	printf("%.1f ns for a frame, %.2f %% of a core for an output at %d Hz (%.0f)\n",
		seconds * 1e9 / SECONDS / RATE_HZ, seconds * 100 / SECONDS, RATE_HZ, fabs(sum));
	return 0;
}

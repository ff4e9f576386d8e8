/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chance that can be repeated: the same seed, the same story (splitmix64, Steele, Lea, Flood 2014). */
#pragma once

#include <math.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_bits(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline int random_below(struct random *random, int limit)
{
	return (int)(random_bits(random) % (uint64_t)limit);
}

static inline int64_t random_between(struct random *random, int64_t least, int64_t most)
{
	return least + (int64_t)(random_bits(random) % (uint64_t)(most - least + 1));
}

/* As often seconds as hours as days. */
static inline int64_t random_log(struct random *random, int64_t least, int64_t most)
{
	double unit = (double)(random_bits(random) >> 11) / 9007199254740992.0;

	return (int64_t)((double)least * pow((double)most / (double)least, unit));
}

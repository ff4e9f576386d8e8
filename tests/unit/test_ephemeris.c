/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/ephemeris.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Lunations of 1899 to 2201. */
#define LUNATION_MIN (-1250)
#define LUNATION_MAX 2500
#define DAY_SECONDS  86400

static void assert_near(double is, double expected, double tolerance, const char *what)
{
	if (!(fabs(is - expected) <= tolerance))
		fail_msg("%s: %.7f instead of %.7f", what, is, expected);
}

/* Meeus, Astronomical Algorithms, examples 49.a (February 1977) and of the full series (see
 * ephemeris_terms.c) those new moons that are closest to midnight in Vietnam. */
static void test_new_moon(void **state)
{
	static const struct {
		int lunation;
		double jde;
	} known[] = {
		{ -283, 2443192.65118 },
		{ -1240, 2414932.3013318 },
		{ -402, 2439679.2088119 },
		{ 672, 2471395.2098380 },
		{ 963, 2479988.2100018 },
		{ 1061, 2482882.2100185 },
		{ 1860, 2506477.2117337 },
		{ 2165, 2515484.2125030 },
		{ 2460, 2524195.3057822 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		assert_near(ephemeris_new_moon(known[i].lunation), known[i].jde, 5.0 / DAY_SECONDS,
			"new moon");
}

/* Example 25.b, and principal terms from the full series. */
static void test_sun(void **state)
{
	static const struct {
		double jde, degrees;
	} known[] = {
		{ 2448908.5, 199.0 + 54.0 / 60 + 21.818 / 3600 },
		{ 2415010.5390699, 270 },
		{ 2426514.8947853, 90 },
		{ 2434581.6615936, 120 },
		{ 2453177.5402360, 90 },
		{ 2470646.8606039, 30 },
		{ 2490432.1777228, 90 },
		{ 2524307.0398988, 0 },
		{ 2415039.9808909, 300 },
		{ 2426546.3484847, 120 },
		{ 2434674.2130434, 210 },
		{ 2524247.5684989, 300 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		double error = remainder(ephemeris_sun(known[i].jde) - known[i].degrees, 360);
		assert_near(error, 0, 0.6 / 3600, "the Sun");
	}
}

/* Who uses the cheap ones relies on their limits; half of them is not needed today. */
static void test_about(void **state)
{
	(void)state;
	for (int lunation = LUNATION_MIN; lunation <= LUNATION_MAX; lunation++) {
		double jde = ephemeris_new_moon(lunation);
		assert_near(ephemeris_new_moon_about(lunation), jde,
			EPHEMERIS_NEW_MOON_ABOUT_DAYS / 2, "new moon, about");
		double error = remainder(ephemeris_sun_about(jde) - ephemeris_sun(jde), 360);
		assert_near(error, 0, EPHEMERIS_SUN_ABOUT_DEGREES / 2, "the Sun, about");
		assert_int_equal(ephemeris_lunation(jde + 1), lunation);
	}
}

static void test_longitude_is_in_circle(void **state)
{
	(void)state;
	for (double jde = 2414000; jde < 2526000; jde += 7.3) {
		double about = ephemeris_sun_about(jde), precise = ephemeris_sun(jde);
		assert_true(about >= 0 && about < 360);
		assert_true(precise >= 0 && precise < 360);
	}
}

/* Observed (Astronomical Almanac), and beyond 2050 the parabola. */
static void test_delta_t(void **state)
{
	(void)state;
	assert_near(ephemeris_delta_t_s(1900), -2.7, 0.5, "ΔT 1900");
	assert_near(ephemeris_delta_t_s(1925), 23.6, 0.5, "ΔT 1925");
	assert_near(ephemeris_delta_t_s(1950), 29.1, 0.5, "ΔT 1950");
	assert_near(ephemeris_delta_t_s(1967.5), 37.9, 0.2, "ΔT 1967");
	assert_near(ephemeris_delta_t_s(2000), 63.8, 0.2, "ΔT 2000");
	assert_near(ephemeris_delta_t_s(2026), 69, 7, "ΔT 2026");
	assert_near(ephemeris_delta_t_s(2110), 277.5, 0.1, "ΔT 2110");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_moon),
		cmocka_unit_test(test_sun),
		cmocka_unit_test(test_about),
		cmocka_unit_test(test_longitude_is_in_circle),
		cmocka_unit_test(test_delta_t),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

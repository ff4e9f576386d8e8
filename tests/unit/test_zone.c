/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/zone.h"
#include "base/clock.h"
#include "scheduler/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define HOUR_US (3600 * US_PER_SEC)

static int64_t at(const char *text)
{
	struct error error;
	int64_t real_us = 0;

	assert_int_equal(time_parse(text, &real_us, &error), 0);
	return real_us;
}

static const struct zone *get(struct zones *zones, const char *name)
{
	struct error error = { "" };
	const struct zone *zone = zones_get(zones, name, &error);

	if (!zone)
		fail_msg("%s: %s", name, error.text);
	return zone;
}

static void only_zones_of_the_database_are_known(void **state)
{
	static const char *const accepted[] = { "UTC", "Asia/Ho_Chi_Minh", "Etc/GMT+5",
		"America/Argentina/Buenos_Aires", "America/Port-au-Prince", "EST5EDT" };
	static const char *const refused[] = { "", "Asia", "Asia/", "Asia/Hanoi", "/etc/localtime",
		"/usr/share/zoneinfo/Asia/Ho_Chi_Minh", "../zoneinfo/Asia/Ho_Chi_Minh",
		"Asia/../Asia/Ho_Chi_Minh", "Asia/./Ho_Chi_Minh", "Asia//Ho_Chi_Minh",
		"Asia/Ho_Chi_Minh/", ":Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh ", "Asia/Ho Chi Minh",
		"ICT-7", "<+07>-7", "UTC0", "zone.tab", "leapseconds", "right/Asia/Ho_Chi_Minh",
		"Asia/Hồ_Chí_Minh",
		/* 66 bytes */
		"America/Argentina/Buenos_Aires/Buenos_Aires/Buenos_Aires/Buenos_Ai" };
	_cleanup_(zones_freep) struct zones *zones = zones_new();

	(void)state;
	for (size_t i = 0; i < countof(accepted); i++)
		get(zones, accepted[i]);
	for (size_t i = 0; i < countof(refused); i++) {
		struct error error = { "" };
		if (zones_get(zones, refused[i], &error))
			fail_msg("\"%s\" is no zone", refused[i]);
		assert_non_null(strstr(error.text, "không có múi giờ"));
	}
}

static void a_zone_is_read_once(void **state)
{
	_cleanup_(zones_freep) struct zones *zones = zones_new();
	const struct zone *vietnam = get(zones, "Asia/Ho_Chi_Minh");

	(void)state;
	assert_ptr_not_equal(get(zones, "UTC"), vietnam);
	assert_ptr_equal(get(zones, "Asia/Ho_Chi_Minh"), vietnam);
}

static void the_process_keeps_its_zone(void **state)
{
	_cleanup_(zones_freep) struct zones *zones = zones_new();
	time_t seconds = 0;
	struct tm local;

	(void)state;
	setenv("TZ", "ICT-7", 1);
	tzset();
	get(zones, "Europe/Berlin");
	assert_string_equal(getenv("TZ"), "ICT-7");
	assert_int_equal(localtime_r(&seconds, &local)->tm_gmtoff, 7 * 3600);
	unsetenv("TZ");
	get(zones, "America/St_Johns");
	assert_null(getenv("TZ"));
	tzset();
	long offset_s = localtime_r(&seconds, &local)->tm_gmtoff;
	get(zones, "America/Caracas");
	assert_int_equal(localtime_r(&seconds, &local)->tm_gmtoff, offset_s);
}

static void vietnam_is_seven_hours_ahead(void **state)
{
	_cleanup_(zones_freep) struct zones *zones = zones_new();
	const struct zone *zone = get(zones, "Asia/Ho_Chi_Minh");
	int64_t change_us = at("1975-06-12T23:00:00+07:00"); /* the South was an hour ahead */

	(void)state;
	assert_int_equal(zone_change_after(zone, 0), change_us);
	assert_int_equal(zone_change_after(zone, change_us - 1), change_us);
	assert_int_equal(zone_change_after(zone, change_us), TIME_NEVER);
	assert_int_equal(zone_local_us(zone, change_us - 1), change_us - 1 + 8 * HOUR_US);
	assert_int_equal(zone_local_us(zone, change_us), change_us + 7 * HOUR_US);
	int64_t late_us = 2 * at("2199-01-01T00:00:00Z");
	assert_int_equal(zone_local_us(zone, late_us), late_us + 7 * HOUR_US);
}

static void utc_never_changes(void **state)
{
	_cleanup_(zones_freep) struct zones *zones = zones_new();
	const struct zone *zone = get(zones, "UTC");
	int64_t first_us, second_us;

	(void)state;
	assert_int_equal(zone_local_us(zone, -1), -1);
	assert_int_equal(zone_local_us(zone, 5), 5);
	assert_int_equal(zone_change_after(zone, -HOUR_US), TIME_NEVER);
	assert_int_equal(zone_instants(zone, 5, &first_us, &second_us), 1);
	assert_int_equal(first_us, 5);
}

/* What the wall shows at `text` (RFC 3339: before its offset). */
static int64_t wall(const char *text)
{
	char utc[TIME_TEXT_SIZE];

	snprintf(utc, sizeof utc, "%.19sZ", text);
	return at(utc);
}

static void expect_instants(const struct zone *zone, const char *local, int count,
	const char *first, const char *second)
{
	int64_t first_us = TIME_UNSET, second_us = TIME_UNSET;

	if (zone_instants(zone, wall(local), &first_us, &second_us) != count)
		fail_msg("%s: not %d times", local, count);
	assert_int_equal(first_us, at(first));
	assert_int_equal(second_us, second ? at(second) : TIME_UNSET);
}

static void a_minute_of_the_wall_comes_never_once_or_twice(void **state)
{
	_cleanup_(zones_freep) struct zones *zones = zones_new();
	const struct zone *zone = get(zones, "Europe/Berlin");

	(void)state;
	expect_instants(zone, "2026-03-29T01:59:59", 1, "2026-03-29T01:59:59+01:00", NULL);
	expect_instants(zone, "2026-03-29T02:00:00", 0, "2026-03-29T03:00:00+02:00", NULL);
	expect_instants(zone, "2026-03-29T02:59:59", 0, "2026-03-29T03:00:00+02:00", NULL);
	expect_instants(zone, "2026-03-29T03:00:00", 1, "2026-03-29T03:00:00+02:00", NULL);
	expect_instants(zone, "2026-10-25T01:59:59", 1, "2026-10-25T01:59:59+02:00", NULL);
	expect_instants(zone, "2026-10-25T02:00:00", 2, "2026-10-25T02:00:00+02:00",
		"2026-10-25T02:00:00+01:00");
	expect_instants(zone, "2026-10-25T02:59:59", 2, "2026-10-25T02:59:59+02:00",
		"2026-10-25T02:59:59+01:00");
	expect_instants(zone, "2026-10-25T03:00:00", 1, "2026-10-25T03:00:00+01:00", NULL);
	zone = get(zones, "Australia/Lord_Howe");
	expect_instants(zone, "2026-10-04T02:29:00", 0, "2026-10-04T02:30:00+11:00", NULL);
	expect_instants(zone, "2026-04-05T01:29:00", 1, "2026-04-05T01:29:00+11:00", NULL);
	expect_instants(zone, "2026-04-05T01:30:00", 2, "2026-04-05T01:30:00+11:00",
		"2026-04-05T01:30:00+10:30");
	zone = get(zones, "Pacific/Apia");
	expect_instants(zone, "2011-12-30T12:00:00", 0, "2011-12-31T00:00:00+14:00", NULL);
	zone = get(zones, "Pacific/Kwajalein"); /* and this one left out 21 August 1993 */
	expect_instants(zone, "1993-08-21T12:00:00", 0, "1993-08-22T00:00:00+12:00", NULL);
}

static void the_short_pauses_are_seen(void **state)
{
	_cleanup_(zones_freep) struct zones *zones = zones_new();
	const struct zone *zone = get(zones, "America/Recife"); /* summer for one week */

	(void)state;
	int64_t change_us = zone_change_after(zone, at("2000-10-01T00:00:00Z"));
	assert_int_equal(change_us, at("2000-10-08T00:00:00-03:00"));
	assert_int_equal(zone_change_after(zone, change_us), at("2000-10-15T00:00:00-02:00"));
	zone = get(zones, "Africa/Casablanca"); /* Ramadan */
	change_us = zone_change_after(zone, at("2026-01-01T00:00:00Z"));
	assert_int_equal(change_us, at("2026-02-15T03:00:00+01:00"));
	assert_int_equal(zone_change_after(zone, change_us), at("2026-03-22T02:00:00+00:00"));
}

/* Every hour, and both sides of every change that is known. */
static void agrees_with_libc(struct zones *zones, const char *name, int from, int until)
{
	const struct zone *zone = get(zones, name);
	time_t seconds = date_number((struct date){ from, 1, 1 }) * (time_t)86400;
	time_t end = date_number((struct date){ until, 1, 1 }) * (time_t)86400;
	int64_t change_us = zone_change_after(zone, seconds * US_PER_SEC);
	struct tm local;

	setenv("TZ", name, 1);
	tzset();
	for (; seconds < end; seconds += 3600) {
		localtime_r(&seconds, &local);
		int64_t real_us = seconds * US_PER_SEC;
		if (zone_local_us(zone, real_us) != real_us + local.tm_gmtoff * US_PER_SEC)
			fail_msg("%s at %ld", name, (long)seconds);
	}
	for (; change_us < end * US_PER_SEC; change_us = zone_change_after(zone, change_us)) {
		seconds = change_us / US_PER_SEC;
		long after_s = localtime_r(&seconds, &local)->tm_gmtoff;
		seconds--;
		assert_int_not_equal(localtime_r(&seconds, &local)->tm_gmtoff, after_s);
	}
}

static void agrees_with_libc_hour_by_hour(void **state)
{
	_cleanup_(zones_freep) struct zones *zones = zones_new();

	(void)state;
	agrees_with_libc(zones, "Europe/Berlin", 1970, 2200);
	agrees_with_libc(zones, "Asia/Gaza", 1995, 2090);
	agrees_with_libc(zones, "Africa/Casablanca", 2005, 2090);
	agrees_with_libc(zones, "America/Recife", 1985, 2005);
	agrees_with_libc(zones, "Africa/Monrovia", 1970, 1975); /* 44½ minutes, until 1972 */
	agrees_with_libc(zones, "Australia/Lord_Howe", 1980, 2030);
	agrees_with_libc(zones, "Pacific/Apia", 2008, 2024);
	agrees_with_libc(zones, "America/St_Johns", 1985, 2015);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_zones_of_the_database_are_known),
		cmocka_unit_test(a_zone_is_read_once),
		cmocka_unit_test(the_process_keeps_its_zone),
		cmocka_unit_test(vietnam_is_seven_hours_ahead),
		cmocka_unit_test(utc_never_changes),
		cmocka_unit_test(a_minute_of_the_wall_comes_never_once_or_twice),
		cmocka_unit_test(the_short_pauses_are_seen),
		cmocka_unit_test(agrees_with_libc_hour_by_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* daemon/mqtt: the part that is arithmetic. The link itself is tested end to end. */
#include "daemon/mqtt.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Doubles from 1 s to 60 s, spread over half to all of it, never outside. */
static void test_backoff(void **state)
{
	static const int whole_ms[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };

	(void)state;
	for (unsigned attempt = 0; attempt < 8; attempt++) {
		int half_ms = whole_ms[attempt] / 2 < 1000 ? 1000 : whole_ms[attempt] / 2;
		assert_int_equal(mqtt_backoff_ms(attempt, 0.0), half_ms);
		assert_in_range(mqtt_backoff_ms(attempt, 0.999999), half_ms, whole_ms[attempt]);
		assert_in_range(mqtt_backoff_ms(attempt, 0.999999), whole_ms[attempt] - 1,
			whole_ms[attempt]);
	}
	assert_in_range(mqtt_backoff_ms(4000000000u, 0.5), 30000, 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backoff),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

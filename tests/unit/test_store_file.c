/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_file.h"
#include "scheduler/store_database.h"
#include "scheduler/store_history.h"
#include "announcement_helpers.h"
#include "store_file_helpers.h"

#include <dirent.h>
#include <errno.h>

/* --- What is kept --------------------------------------------------------------------------- */

static void what_was_put_is_there_after_reopening(void **state)
{
	_folder_ folder = folder_new();
	struct store_file *file = open_in(folder);

	(void)state;
	put_announcement(file, "hai", "Bản tin hai", 7);
	put_announcement(file, "mot", "Bản tin một", 3);
	put_announcement(file, "ba", "bỏ", 5);
	put_announcement(file, "ba", "Bản tin ba", 9); /* replaces */
	put_announcement(file, "bon", "bỏ", 10);
	write_one(file, (struct store_change){ .kind = STORE_DROP_ANNOUNCEMENT, .id = OWN("bon") });
	put_play(file, "mot", "san", PLAY_QUEUED, NOW_US);
	put_play(file, "mot", "san", PLAY_FINISHED, NOW_US + 5);
	put_setting(file, "gain.san", "-6.0");
	put_receipt(file, 41, "{\"id\":\"mot\"}");
	store_file_close(file);

	_file_ again = open_in(folder);
	assert_string_equal(store_file_notice(again), "");
	_event_ event = load(again);
	assert_string_equal(event->error.text, "");
	assert_int_equal(event->announcements_count, 3);
	static const char *const texts[] = { "Bản tin một", "Bản tin hai", "Bản tin ba" };
	static const uint64_t sequences[] = { 3, 7, 9 };
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(first_text(event->announcements[i].announcement), texts[i]);
		assert_int_equal(event->announcements[i].sequence, sequences[i]);
		assert_int_equal(event->announcements[i].arrival_us, NOW_US + (int)sequences[i]);
	}
	assert_int_equal(event->next_sequence, 10);
	assert_int_equal(event->plays_count, 1);
	assert_string_equal(event->plays[0].id, "mot");
	assert_string_equal(event->plays[0].output, "san");
	assert_int_equal(event->plays[0].state, PLAY_FINISHED);
	assert_int_equal(event->plays[0].forget_us, NOW_US + 5);
	assert_int_equal(event->settings_count, 1);
	assert_string_equal(event->settings[0].key, "gain.san");
	assert_string_equal(event->settings[0].value, "-6.0");
	assert_int_equal(event->next_receipt_sequence, 42);
}

static void what_was_not_committed_is_not_there(void **state)
{
	_folder_ folder = folder_new();
	struct store_file *file = open_in(folder);
	struct store_change change = {
		.kind = STORE_PUT_SETTING, .id = OWN("a"), .text = OWN("1")
	};

	(void)state;
	put_setting(file, "b", "2");
	assert_int_equal(store_file_begin(file, NULL), 0);
	assert_int_equal(store_file_change(file, &change, NULL), 0);
	store_file_close(file);
	_file_ again = open_in(folder);
	_event_ event = load(again);
	assert_int_equal(event->settings_count, 1);
	assert_string_equal(event->settings[0].key, "b");
}

static void receipts_are_read_in_order_until_they_are_taken(void **state)
{
	_folder_ folder = folder_new();
	_file_ file = open_in(folder);
	_event_ first = xcalloc(1, sizeof *first);
	_event_ rest = xcalloc(1, sizeof *rest);

	(void)state;
	for (uint64_t i = 10; i > 0; i--) {
		_cleanup_(freep) char *json = xasprintf("{\"n\":%d}", (int)i);
		put_receipt(file, i, json);
	}
	assert_int_equal(store_file_read_receipts(file, 2, 3, first, NULL), 0);
	assert_int_equal(first->receipts_count, 3);
	assert_int_equal(first->receipts[0].sequence, 3);
	assert_string_equal(first->receipts[2].json, "{\"n\":5}");
	take_receipts(file, 8);
	/* Also for who does not know that they were taken. */
	assert_int_equal(store_file_read_receipts(file, 0, 100, rest, NULL), 0);
	assert_int_equal(rest->receipts_count, 2);
	assert_int_equal(rest->receipts[0].sequence, 9);
	_event_ event = load(file);
	assert_int_equal(event->taken_receipt_sequence, 8);
	assert_int_equal(event->next_receipt_sequence, 11);
	assert_int_equal(event->settings_count, 0); /* that note is nobody else's */
}

/* --- The history ---------------------------------------------------------------------------- */

static struct store_event *search(struct store_file *file, struct store_history_query query)
{
	_cleanup_(store_search_freep) struct store_search *search = store_search_new(&query);
	struct error error = { "" };
	int result;

	while ((result = store_search_go_on(search, file, &error)) > 0)
		continue;
	if (result < 0)
		fail_msg("%s", error.text);
	return store_search_take(search);
}

/* Five receipts, an hour apart; the clock is set back before the fourth. */
static void put_history(struct store_file *file)
{
	static const struct {
		int hour;
		const char *json;
	} receipts[] = {
		{ 0, "{\"id\":\"mot\",\"output\":null}" },
		{ 1, "{\"id\":\"mot\",\"output\":\"san\"}" },
		{ 2, "{\"id\":\"hai\",\"output\":\"san\"}" },
		{ 1, "{\"id\":\"hai\",\"output\":\"cho\"}" },
		{ 3, "{\"id\":\"ba\",\"output\":\"san\"}" },
	};

	for (size_t i = 0; i < countof(receipts); i++)
		put_receipt_at(file, i + 1, NOW_US + receipts[i].hour * 3600 * US_PER_SEC,
			receipts[i].json);
}

static void the_history_is_found_by_time_output_and_id(void **state)
{
	static const struct {
		int since, until; /* hours */
		const char *output, *id;
		uint64_t after;
		size_t limit;
		const char *found; /* the sequences */
		bool more;
	} table[] = {
		{ 0, 9, NULL, NULL, 0, 9, "12345", false },
		{ 1, 2, NULL, NULL, 0, 9, "24", false },
		{ 1, 3, NULL, NULL, 0, 9, "234", false },
		{ 2, 4, NULL, NULL, 0, 9, "35", false },
		{ 4, 9, NULL, NULL, 0, 9, "", false },
		{ -9, 0, NULL, NULL, 0, 9, "", false },
		{ 0, 9, "san", NULL, 0, 9, "235", false },
		{ 0, 9, "san", "hai", 0, 9, "3", false },
		{ 0, 9, NULL, "mot", 0, 9, "12", false },
		{ 0, 9, NULL, NULL, 0, 5, "12345", false },
		{ 0, 9, NULL, NULL, 0, 2, "12", true },
		{ 0, 9, NULL, NULL, 2, 2, "34", true },
		{ 0, 9, NULL, NULL, 4, 2, "5", false },
		{ 0, 9, NULL, NULL, UINT64_MAX, 2, "", false },
		{ 0, 9, "san", NULL, 2, 1, "3", true },
	};
	_folder_ folder = folder_new();
	_file_ file = open_in(folder);

	(void)state;
	put_history(file);
	for (size_t i = 0; i < countof(table); i++) {
		_event_ answer = search(
			file, (struct store_history_query){
				      .token = i,
				      .since_us = NOW_US + table[i].since * 3600 * US_PER_SEC,
				      .until_us = NOW_US + table[i].until * 3600 * US_PER_SEC,
				      .after_sequence = table[i].after,
				      .output = table[i].output,
				      .id = table[i].id,
				      .limit = table[i].limit,
			      });
		char found[10] = "";
		for (size_t r = 0; r < answer->receipts_count; r++)
			found[r] = (char)('0' + answer->receipts[r].sequence);
		if (strcmp(found, table[i].found) != 0 || answer->more != table[i].more)
			fail_msg("row %zu: found %s", i, found);
		assert_int_equal(answer->what, STORE_HISTORY);
		assert_int_equal(answer->token, i);
	}
}

static void a_search_is_made_in_pieces(void **state)
{
	const struct store_history_query query = { .until_us = INT64_MAX, .limit = SIZE_MAX };
	const uint64_t count = 2 * STORE_SEARCH_PIECE + 1000;
	_folder_ folder = folder_new();
	_file_ file = open_in(folder);

	(void)state;
	assert_int_equal(store_file_begin(file, NULL), 0);
	for (uint64_t i = 1; i <= count + 1; i++) {
		const struct store_change change = { .kind = STORE_PUT_RECEIPT,
			.sequence = i,
			.text = OWN(i % 1000 ? "{}" : "{\"n\":") }; /* some are none */
		assert_int_equal(store_file_change(file, &change, NULL), 0);
	}
	assert_int_equal(store_file_commit(file, NULL), 0);
	_cleanup_(store_search_freep) struct store_search *search = store_search_new(&query);
	assert_int_equal(store_search_go_on(search, file, NULL), 1);
	put_setting(file, "a", "1"); /* what is to be written need not wait */
	assert_int_equal(store_search_go_on(search, file, NULL), 1);
	assert_int_equal(store_search_go_on(search, file, NULL), 0);
	_event_ answer = store_search_take(search);
	assert_int_equal(answer->receipts_count, count + 1 - count / 1000);
	assert_false(answer->more);
	assert_true(answer->receipts_count < STORE_ANSWER_MAX);
}

static size_t count_history(struct store_file *file)
{
	_event_ all = search(
		file, (struct store_history_query){ .until_us = INT64_MAX, .limit = SIZE_MAX });

	return all->receipts_count;
}

static void old_history_is_pruned_when_it_was_taken(void **state)
{
	const struct store_change old = { .kind = STORE_PRUNE_OLD,
		.time_us = NOW_US + 2 * 3600 * US_PER_SEC };
	_folder_ folder = folder_new();
	_file_ file = open_in(folder);

	(void)state;
	put_history(file);
	write_one(file, old);
	assert_int_equal(count_history(file), 5); /* the broker has none of them */
	take_receipts(file, 3);
	write_one(file, old);
	assert_int_equal(count_history(file), 3);
	take_receipts(file, 5);
	write_one(file, old);
	assert_int_equal(count_history(file), 2);
	write_one(file, (struct store_change){ .kind = STORE_PRUNE_OLD, .time_us = INT64_MAX });
	assert_int_equal(count_history(file), 0);
	_event_ event = load(file);
	assert_int_equal(event->next_receipt_sequence, 6); /* nothing gets a number twice */
}

static void the_history_has_an_end(void **state)
{
	const uint64_t excess = 10, first = UINT64_C(1) << 40; /* numbers may have gaps */
	_folder_ folder = folder_new();
	_file_ file = open_in(folder);

	(void)state;
	put_history(file);
	assert_int_equal(store_file_begin(file, NULL), 0);
	for (uint64_t i = 5; i < STORE_HISTORY_MAX + excess; i++) {
		const struct store_change change = {
			.kind = STORE_PUT_RECEIPT, .sequence = first + i, .text = OWN("{}")
		};
		assert_int_equal(store_file_change(file, &change, NULL), 0);
	}
	assert_int_equal(store_file_commit(file, NULL), 0);
	for (int round = 0; round < 2; round++) {
		write_one(file, (struct store_change){ .kind = STORE_PRUNE_EXCESS });
		_event_ oldest = search(
			file, (struct store_history_query){ .until_us = INT64_MAX, .limit = 1 });
		assert_int_equal(oldest->receipts[0].sequence, first + excess);
	}
}

/* --- Files of older versions ---------------------------------------------------------------- */

/* What version 1 made, with one of everything. */
static const char version_1_sql[] =
	"CREATE TABLE announcement (id TEXT PRIMARY KEY, revision INTEGER NOT NULL,"
	" json TEXT NOT NULL, sha256 TEXT NOT NULL, arrival_us INTEGER NOT NULL,"
	" sequence INTEGER NOT NULL);"
	"CREATE TABLE play (id TEXT NOT NULL, output TEXT NOT NULL, revision INTEGER NOT NULL,"
	" state TEXT NOT NULL, forget_us INTEGER NOT NULL, PRIMARY KEY (id, output));"
	"CREATE TABLE receipt (sequence INTEGER PRIMARY KEY, json TEXT NOT NULL);"
	"CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"CREATE TABLE set_aside (number INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL,"
	" source TEXT NOT NULL, content TEXT, why TEXT NOT NULL);"
	"INSERT INTO announcement VALUES ('tin', 2, '{\"text\":\"Xin chào\","
	"\"expires\":\"2026-11-21T18:00:00+07:00\"}',"
	" '304fc1490bd14c27a35c2c9bc2186c5afdb69c0d6233d65dfbfb171699ed501d', 5, 7);"
	"INSERT INTO play VALUES ('tin', 'san', 2, 'playing', 99);"
	"INSERT INTO setting VALUES ('gain:san', '-6.0');"
	"INSERT INTO receipt VALUES (41, '{\"at\":\"2026-11-21T17:00:00.500+07:00\"}');"
	"INSERT INTO receipt VALUES (42, '{\"at\":\"hôm qua\"}');"
	"INSERT INTO receipt VALUES (43, 'hỏng');"
	"PRAGMA user_version = 1;";

static void expect_version_1_content(const struct store_event *event)
{
	assert_int_equal(event->announcements_count, 1);
	assert_string_equal(first_text(event->announcements[0].announcement), "Xin chào");
	assert_int_equal(event->announcements[0].arrival_us, 5);
	assert_int_equal(event->announcements[0].sequence, 7);
	assert_int_equal(event->plays_count, 1);
	assert_int_equal(event->plays[0].state, PLAY_PLAYING);
	assert_int_equal(event->plays[0].forget_us, 99);
	assert_int_equal(event->plays[0].item, 0);
	assert_int_equal(event->plays[0].tries, 0);
	assert_int_equal(event->settings_count, 1);
	assert_int_equal(event->taken_receipt_sequence, 0); /* none that it kept was taken */
	assert_int_equal(event->next_receipt_sequence, 43);
}

static void a_file_of_version_1_is_brought_up_to_date(void **state)
{
	_folder_ folder = folder_new();

	(void)state;
	make_by_sql(folder, version_1_sql);
	for (int round = 0; round < 2; round++) {
		_file_ file = open_in(folder);
		assert_string_equal(store_file_notice(file), "");
		_event_ event = load(file);
		/* The bad receipt is set aside by the first loading. */
		assert_int_equal(*event->error.text != '\0', round == 0);
		expect_version_1_content(event);
		_event_ dated = search(
			file, (struct store_history_query){ .since_us = NOW_US + 500 * US_PER_MS,
				      .until_us = NOW_US + 501 * US_PER_MS,
				      .limit = 9 });
		assert_int_equal(dated->receipts_count, 1);
		assert_int_equal(dated->receipts[0].sequence, 41);
		assert_int_equal(count_history(file), 2);
		put_play(file, "tin", "san", PLAY_PLAYING, 99);
	}
	assert_int_equal(count_files(folder, "loalang.db.corrupt"), 0);
}

static void what_is_over_is_forgotten(void **state)
{
	_folder_ folder = folder_new();
	_file_ file = open_in(folder);

	(void)state;
	put_announcement(file, "xong", "a", 1);
	put_announcement(file, "cho", "a", 2);
	put_announcement(file, "dang-phat", "a", 3);
	put_announcement(file, "khong-ai", "a", 4);
	put_play(file, "xong", "san", PLAY_FINISHED, NOW_US + 1);
	put_play(file, "cho", "san", PLAY_FINISHED, NOW_US + 1);
	put_play(file, "cho", "cho", PLAY_QUEUED, NOW_US + 1);
	put_play(file, "dang-phat", "san", PLAY_PLAYING, NOW_US + 1);
	put_play(file, "cu", "san", PLAY_FINISHED, NOW_US);
	write_one(file, (struct store_change){ .kind = STORE_FORGET_PLAYS, .time_us = NOW_US });
	write_one(file, (struct store_change){ .kind = STORE_FORGET_ANNOUNCEMENTS });
	_event_ event = load(file);
	assert_int_equal(event->plays_count, 4);
	assert_int_equal(event->announcements_count, 2);
	assert_string_equal(event->announcements[0].announcement->id, "cho");
	assert_string_equal(event->announcements[1].announcement->id, "dang-phat");
}

static void two_processes_do_not_share_a_file(void **state)
{
	_folder_ folder = folder_new();
	struct store_file *first = open_in(folder);
	struct store_file *second = NULL;
	struct error error = { "" };

	(void)state;
	assert_int_equal(store_file_open(folder, &second, &error), -EBUSY);
	assert_non_null(strstr(error.text, "chương trình khác"));
	assert_null(second);
	store_file_close(first);
	assert_int_equal(count_files(folder, "loalang.db.corrupt"), 0);
}

/* --- Damage --------------------------------------------------------------------------------- */

static void bad_rows_are_set_aside_and_the_others_load(void **state)
{
	static const struct store_change bad[] = {
		{ .kind = STORE_PUT_ANNOUNCEMENT,
			.id = OWN("x1"),
			.text = OWN("{"),
			.revision = 1,
			.sequence = 2 },
		{ .kind = STORE_PUT_ANNOUNCEMENT,
			.id = OWN("x2"),
			.text = OWN("{\"text\":\"a\\u0001\"}"),
			.revision = 1,
			.sequence = 3 },
		{ .kind = STORE_PUT_ANNOUNCEMENT,
			.id = OWN("x 3"),
			.text = OWN("{\"text\":\"a\"}"),
			.revision = 1,
			.sequence = 4 },
		{ .kind = STORE_PUT_ANNOUNCEMENT,
			.id = OWN("x4"),
			.text = OWN("{\"text\":\"a\"}"),
			.revision = 0,
			.sequence = 5 },
		{ .kind = STORE_PUT_ANNOUNCEMENT,
			.id = OWN("x5"),
			.text = OWN("{\"text\":\"a\"}"),
			.revision = 1,
			.sequence = UINT64_MAX },
		{ .kind = STORE_PUT_PLAY, .id = OWN("x6"), .output = OWN("\xff"), .revision = 1 },
		{ .kind = STORE_PUT_SETTING, .id = OWN("\xc3("), .text = OWN("1") },
		{ .kind = STORE_PUT_RECEIPT, .sequence = 90, .text = OWN("{\"id\":") },
		{ .kind = STORE_PUT_RECEIPT, .sequence = UINT64_MAX, .text = OWN("{}") },
	};
	_folder_ folder = folder_new();
	struct store_file *file = open_in(folder);

	(void)state;
	put_announcement(file, "tot", "Bản tin tốt", 1);
	put_play(file, "tot", "san", PLAY_QUEUED, NOW_US);
	put_setting(file, "a", "1");
	put_receipt(file, 3, "{}");
	for (size_t i = 0; i < countof(bad); i++)
		write_one(file, bad[i]);
	for (int round = 0; round < 2; round++) {
		_event_ event = load(file);
		/* The second time they are out of the way, and nothing is reported. */
		assert_int_equal(*event->error.text != '\0', round == 0);
		assert_int_equal(event->announcements_count, 1);
		assert_string_equal(
			first_text(event->announcements[0].announcement), "Bản tin tốt");
		assert_int_equal(event->next_sequence, 2);
		assert_int_equal(event->plays_count, 1);
		assert_int_equal(event->settings_count, 1);
		assert_int_equal(event->next_receipt_sequence, 4);
		store_file_close(file);
		file = open_in(folder);
	}
	store_file_close(file);
}

/* A file with some of everything, closed, so that nothing is left in its log. */
static struct bytes make_file(const char *folder)
{
	struct store_file *file = open_in(folder);

	for (int i = 1; i <= 20; i++) {
		_cleanup_(freep) char *id = xasprintf("ban-tin-%d", i);
		_cleanup_(freep) char *text = xasprintf("Thông báo số %d về việc cắt điện", i);
		put_announcement(file, id, text, i);
		put_play(file, id, "san", PLAY_QUEUED, NOW_US + i);
		put_receipt(file, (uint64_t)i, "{\"event\":\"accepted\"}");
	}
	store_file_close(file);
	return read_file(folder);
}

static void a_changed_text_is_never_spoken(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_file(folder);
	char *digit = memmem(bytes.data, bytes.length, "số 13 về", strlen("số 13 về"));

	(void)state;
	assert_non_null(digit);
	digit[strlen("số ")] ^= 4; /* one bit: 13 becomes 53 */
	write_file(folder, bytes.data, bytes.length);
	_file_ file = open_in(folder);
	_event_ event = load(file);
	assert_int_equal(event->announcements_count, 19);
	assert_non_null(strstr(event->error.text, "đã bị thay đổi"));
	for (size_t i = 0; i < event->announcements_count; i++)
		assert_null(strstr(first_text(event->announcements[i].announcement), "53"));
}

/* Opens what was damaged; whatever is found, the store works after that. */
static void expect_a_working_store(const char *folder)
{
	struct store_file *file = open_in(folder);
	_event_ event = load(file);
	size_t known = event->announcements_count;

	for (size_t i = 0; i < known; i++) {
		const char *text = first_text(event->announcements[i].announcement);
		assert_non_null(strstr(text, " về việc cắt điện"));
	}
	put_announcement(file, "moi", "Bản tin mới", 1000);
	store_file_close(file);
	file = open_in(folder);
	_event_ again = load(file);
	assert_int_equal(again->announcements_count, known + 1);
	store_file_close(file);
}

static void a_truncated_file_is_kept_aside(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_file(folder);
	static const int parts[] = { 1, 3, 16, 50, 99, 100, 200, 500, 750, 950 }; /* ‰ */

	(void)state;
	for (size_t i = 0; i < countof(parts); i++) {
		clear_folder(folder);
		write_file(folder, bytes.data, bytes.length * (size_t)parts[i] / 1000);
		expect_a_working_store(folder);
		if (count_files(folder, "loalang.db.corrupt") != 1)
			fail_msg("%d‰ of the file passed for a whole one", parts[i]);
	}
}

static void flipped_bits_never_hurt(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_file(folder);
	uint64_t random = 88172645463325252u;

	(void)state;
	for (int round = 0; round < 150; round++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		size_t at = random % bytes.length;
		bytes.data[at] ^= (char)(1 << (random >> 40) % 8);
		clear_folder(folder);
		write_file(folder, bytes.data, bytes.length);
		expect_a_working_store(folder);
		if (round % 3)
			continue; /* let up to three gather */
		free(bytes.data);
		clear_folder(folder);
		bytes = make_file(folder);
	}
}

static void what_is_no_database_is_kept_aside(void **state)
{
	static const char text[] = "Đây không phải là cơ sở dữ liệu.\n";
	_folder_ folder = folder_new();

	(void)state;
	write_file(folder, text, sizeof text - 1);
	_file_ file = open_in(folder);
	assert_non_null(strstr(store_file_notice(file), "đã để riêng"));
	assert_int_equal(count_files(folder, "loalang.db.corrupt"), 1);
	_event_ event = load(file);
	assert_string_equal(event->error.text, store_file_notice(file));
}

static void a_file_of_another_version_is_kept_aside(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_file(folder);

	(void)state;
	bytes.data[63] = 9; /* user_version: big-endian at 60…63 of the header */
	write_file(folder, bytes.data, bytes.length);
	_file_ file = open_in(folder);
	assert_non_null(strstr(store_file_notice(file), "kiểu tệp 9"));
	assert_int_equal(count_files(folder, "loalang.db.corrupt"), 1);
}

static void damage_found_later_begins_anew(void **state)
{
	_folder_ folder = folder_new();
	struct error cause = { "hỏng" };
	_file_ file = NULL;
	struct error error = { "" };

	(void)state;
	struct bytes bytes = make_file(folder);
	bytes_done(&bytes);
	assert_int_equal(store_file_renew(folder, &cause, &file, &error), 0);
	_event_ event = load(file);
	assert_int_equal(event->announcements_count, 20); /* nothing was wrong with it */
	assert_int_equal(event->plays_count, 20);
	assert_non_null(strstr(event->error.text, "hỏng; đã để riêng"));
	assert_non_null(strstr(event->error.text, "không đọc được 0 bản ghi và 0 trang"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_there_after_reopening),
		cmocka_unit_test(what_was_not_committed_is_not_there),
		cmocka_unit_test(receipts_are_read_in_order_until_they_are_taken),
		cmocka_unit_test(the_history_is_found_by_time_output_and_id),
		cmocka_unit_test(a_search_is_made_in_pieces),
		cmocka_unit_test(old_history_is_pruned_when_it_was_taken),
		cmocka_unit_test(the_history_has_an_end),
		cmocka_unit_test(a_file_of_version_1_is_brought_up_to_date),
		cmocka_unit_test(what_is_over_is_forgotten),
		cmocka_unit_test(two_processes_do_not_share_a_file),
		cmocka_unit_test(bad_rows_are_set_aside_and_the_others_load),
		cmocka_unit_test(a_changed_text_is_never_spoken),
		cmocka_unit_test(a_truncated_file_is_kept_aside),
		cmocka_unit_test(flipped_bits_never_hurt),
		cmocka_unit_test(what_is_no_database_is_kept_aside),
		cmocka_unit_test(a_file_of_another_version_is_kept_aside),
		cmocka_unit_test(damage_found_later_begins_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

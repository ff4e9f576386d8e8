/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real files of the store's, damaged as disks damage them: what stood elsewhere is kept. */
#include "scheduler/store_salvage.h"
#include "scheduler/store_history.h"
#include "scheduler/store_pages.h"
#include "announcement_helpers.h"
#include "store_file_helpers.h"

#include <sys/stat.h>

#define ITEMS      500
#define LONG_EVERY 50 /* each such announcement is longer than a page */
#define PAGE       STORE_PAGE_BYTES

/* --- Files ---------------------------------------------------------------------------------- */

static void change(struct store_file *file, struct store_change change)
{
	struct error error = { "" };

	if (store_file_change(file, &change, &error) < 0)
		fail_msg("%s", error.text);
}

/* Every text of item `number` has its mark all over, so that a page tells whose it is. */
static char *text_of(int number)
{
	struct strbuf text = { 0 };

	for (int i = 0; i < (number % LONG_EVERY == 0 ? 1000 : 5); i++)
		strbuf_printf(&text, "bản tin số <%03d> ", number);
	return strbuf_take(&text);
}

static void put_item(struct store_file *file, int number)
{
	_cleanup_(freep) char *id = xasprintf("tin-%03d", number);
	_cleanup_(freep) char *text = text_of(number);
	_cleanup_(announcement_unrefp) struct announcement *announcement = sample(id, text);
	_cleanup_(freep) char *json = announcement_format(announcement);
	_cleanup_(freep) char *receipt = xasprintf(
		"{\"id\":\"(%03d)\",\"output\":\"san\"}", number);

	change(file, (struct store_change){ .kind = STORE_PUT_ANNOUNCEMENT,
			     .id = id,
			     .text = json,
			     .revision = 1,
			     .time_us = NOW_US,
			     .sequence = (uint64_t)number + 1 });
	change(file, (struct store_change){ .kind = STORE_PUT_PLAY,
			     .id = id,
			     .output = OWN("san"),
			     .revision = 1,
			     .state = number % 2 ? PLAY_FINISHED : PLAY_QUEUED,
			     .time_us = NOW_US + number,
			     .progress.tries = (uint32_t)number });
	change(file, (struct store_change){ .kind = STORE_PUT_RECEIPT,
			     .sequence = (uint64_t)number + 1,
			     .time_us = NOW_US + number,
			     .text = receipt });
}

/* ITEMS announcements, plays, receipts, some settings; the broker has half of the receipts. */
static void fill(struct store_file *file)
{
	assert_int_equal(store_file_begin(file, NULL), 0);
	for (int i = 0; i < ITEMS; i++)
		put_item(file, i);
	change(file, (struct store_change){ .kind = STORE_RECEIPTS_TAKEN, .sequence = ITEMS / 2 });
	change(file, (struct store_change){
			     .kind = STORE_PUT_SETTING, .id = OWN("gain:san"), .text = OWN("-6") });
	assert_int_equal(store_file_commit(file, NULL), 0);
}

static struct bytes make_full_file(const char *folder)
{
	struct store_file *file = open_in(folder);

	fill(file);
	store_file_close(file);
	return read_file(folder);
}

/* --- What is kept --------------------------------------------------------------------------- */

struct kept {
	bool announcements[ITEMS], plays[ITEMS], receipts[ITEMS];
	size_t announcements_count, plays_count, receipts_count;
	struct store_event *event;
};

static void kept_done(struct kept *kept)
{
	store_event_free(&kept->event->link);
}
#define _kept_ _cleanup_(kept_done) struct kept

static int number_after(const char *text, const char *before)
{
	const char *found = strstr(text, before);

	assert_non_null(found);
	int number = (int)strtol(found + strlen(before), NULL, 10);
	assert_in_range(number, 0, ITEMS - 1);
	return number;
}

static void note_receipts(struct store_file *file, struct kept *kept)
{
	const struct store_history_query query = { .until_us = INT64_MAX, .limit = SIZE_MAX };
	_cleanup_(store_search_freep) struct store_search *search = store_search_new(&query);

	while (store_search_go_on(search, file, NULL) > 0)
		continue;
	_event_ all = store_search_take(search);
	for (size_t i = 0; i < all->receipts_count; i++) {
		int number = number_after(all->receipts[i].json, "(");
		assert_int_equal(all->receipts[i].sequence, number + 1);
		kept->receipts[number] = true;
	}
	kept->receipts_count = all->receipts_count;
}

/* All that is there is what was put. */
static struct kept look_into(struct store_file *file)
{
	struct kept kept = { .event = load(file) };

	for (size_t i = 0; i < kept.event->announcements_count; i++) {
		const struct store_announcement *stored = &kept.event->announcements[i];
		int number = number_after(stored->announcement->id, "tin-");
		_cleanup_(freep) char *text = text_of(number);
		assert_string_equal(first_text(stored->announcement), text);
		assert_int_equal(stored->sequence, number + 1);
		assert_int_equal(stored->arrival_us, NOW_US);
		kept.announcements[number] = true;
	}
	for (size_t i = 0; i < kept.event->plays_count; i++) {
		const struct store_play *play = &kept.event->plays[i];
		int number = number_after(play->id, "tin-");
		assert_int_equal(play->state, number % 2 ? PLAY_FINISHED : PLAY_QUEUED);
		assert_int_equal(play->forget_us, NOW_US + number);
		assert_int_equal(play->tries, number);
		kept.plays[number] = true;
	}
	note_receipts(file, &kept);
	kept.announcements_count = kept.event->announcements_count;
	kept.plays_count = kept.event->plays_count;
	return kept;
}

/* Opens what was written to the folder, which has to be found damaged. */
static struct kept recover(const char *folder)
{
	_file_ file = open_in(folder);

	assert_non_null(strstr(store_file_notice(file), "đã để riêng"));
	assert_int_equal(count_files(folder, STORE_FILE_NAME ".new"), 0);
	assert_int_equal(count_files(folder, STORE_FILE_NAME ".ready"), 0);
	struct kept kept = look_into(file);
	put_setting(file, "moi", "1"); /* it works */
	return kept;
}

static bool has(const char *bytes, size_t length, const char *before, int number)
{
	char mark[32];

	snprintf(mark, sizeof mark, "%s%03d", before, number);
	return memmem(bytes, length, mark, strlen(mark));
}

/* Whatever did not stand on those bytes is kept. */
static void expect_the_others(const struct kept *kept, const char *bytes, size_t length)
{
	for (int i = 0; i < ITEMS; i++) {
		if (!kept->announcements[i] && !has(bytes, length, "<", i) &&
			!has(bytes, length, "tin-", i))
			fail_msg("announcement %d is gone", i);
		if (!kept->plays[i] && !has(bytes, length, "tin-", i))
			fail_msg("play %d is gone", i);
		if (!kept->receipts[i] && !has(bytes, length, "(", i))
			fail_msg("receipt %d is gone", i);
	}
}

/* --- Damage --------------------------------------------------------------------------------- */

static void fill_nothing(char *page)
{
	memset(page, 0, PAGE);
}

static void fill_noise(char *page)
{
	uint64_t random = 88172645463325252u;

	for (int i = 0; i < PAGE; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		page[i] = (char)random;
	}
}

/* The header of a tree's page, and then nothing that was there. */
static void fill_liar(char *page)
{
	memset(page + 5, 0xff, PAGE - 5);
}

static void any_one_smashed_page_costs_only_what_stood_on_it(void **state)
{
	static void (*const smash[])(char *page) = { fill_nothing, fill_noise, fill_liar };
	_folder_ folder = memory_folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_full_file(folder);
	size_t pages = bytes.length / PAGE, found = 0;
	char before[PAGE];

	(void)state;
	assert_true(pages > 60);
	for (size_t page = 0; page < pages; page++) {
		char *place = bytes.data + page * PAGE;
		memcpy(before, place, PAGE);
		smash[page % countof(smash)](place);
		clear_folder(folder);
		write_file(folder, bytes.data, bytes.length);
		_file_ file = open_in(folder);
		found += *store_file_notice(file) != '\0';
		_kept_ kept = look_into(file);
		expect_the_others(&kept, before, PAGE);
		memcpy(place, before, PAGE);
	}
	/* The rest of a long text may be smashed without SQLite noticing: its sum tells. */
	assert_true(found > pages / 2);
}

/* The page that announcement 123 stands on, as the issue has it: 500, and one leaf. */
static void a_smashed_leaf_is_told_and_its_neighbours_are_kept(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_full_file(folder);
	char *mark = memmem(bytes.data, bytes.length, "<123>", 5);

	(void)state;
	assert_non_null(mark);
	char *page = bytes.data + (mark - bytes.data) / PAGE * PAGE;
	char before[PAGE];
	memcpy(before, page, PAGE);
	fill_nothing(page);
	write_file(folder, bytes.data, bytes.length);
	_kept_ kept = recover(folder);
	expect_the_others(&kept, before, PAGE);
	assert_false(kept.announcements[123]);
	assert_in_range(kept.announcements_count, ITEMS - 20, ITEMS - 1);
	assert_int_equal(kept.plays_count, ITEMS);
	assert_int_equal(kept.receipts_count, ITEMS);
	assert_int_equal(kept.event->settings_count, 1);
	assert_string_equal(kept.event->settings[0].value, "-6");
	assert_int_equal(kept.event->taken_receipt_sequence, ITEMS / 2);
	assert_int_equal(kept.event->next_receipt_sequence, ITEMS + 1);
	_cleanup_(freep) char *told = xasprintf(
		"giữ lại %zu thông báo, %d lượt phát, 2 thiết đặt, %d biên nhận; không đọc được 0 "
		"bản ghi và 1 trang",
		kept.announcements_count, ITEMS, ITEMS);
	if (!strstr(kept.event->error.text, told))
		fail_msg("told: %s", kept.event->error.text);
	assert_int_equal(count_files(folder, STORE_FILE_NAME ".corrupt"), 1);
}

/* SQLite does not notice a changed letter; carried over, it would get a right sum. */
static void a_changed_text_is_not_carried_over(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_full_file(folder);
	char *letter = memmem(bytes.data, bytes.length, "<321>", 5);
	char *mark = memmem(bytes.data, bytes.length, "<123>", 5);

	(void)state;
	assert_non_null(letter);
	letter[1] ^= 1;
	fill_nothing(bytes.data + (mark - bytes.data) / PAGE * PAGE);
	write_file(folder, bytes.data, bytes.length);
	_kept_ kept = recover(folder);
	assert_false(kept.announcements[321]);
	assert_true(kept.announcements[320] && kept.announcements[322]);
	assert_non_null(strstr(kept.event->error.text, "không đọc được 1 bản ghi và 1 trang"));
}

static void a_truncated_file_keeps_what_is_left(void **state)
{
	_folder_ folder = memory_folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_full_file(folder);

	(void)state;
	for (size_t part = 1; part < 20; part++) {
		size_t left = bytes.length * part / 20;
		clear_folder(folder);
		write_file(folder, bytes.data, left);
		_kept_ kept = recover(folder);
		left -= left % PAGE;
		expect_the_others(&kept, bytes.data + left, bytes.length - left);
		assert_null(strstr(kept.event->error.text, " 0 trang"));
	}
}

static void flipped_bits_cost_single_rows(void **state)
{
	_folder_ folder = memory_folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_full_file(folder);
	uint64_t random = 362436069;

	(void)state;
	for (int round = 0; round < 60; round++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		size_t at = (random >> 20) % bytes.length;
		size_t page = at / PAGE * PAGE;
		char before[PAGE];
		memcpy(before, bytes.data + page, PAGE);
		bytes.data[at] ^= (char)(1 << (random >> 16) % 8);
		clear_folder(folder);
		write_file(folder, bytes.data, bytes.length);
		_file_ file = open_in(folder);
		_event_ event = load(file);
		for (size_t i = 0; i < event->announcements_count; i++) {
			const struct announcement *a = event->announcements[i].announcement;
			_cleanup_(freep) char *text = text_of(number_after(first_text(a), "<"));
			assert_string_equal(first_text(a), text);
		}
		assert_true(event->announcements_count >= ITEMS - 20);
		memcpy(bytes.data + page, before, PAGE);
	}
}

/* --- The log -------------------------------------------------------------------------------- */

static struct bytes read_log(const char *folder)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s-wal", folder, STORE_FILE_NAME);
	_cleanup_(fclosep) FILE *stream = fopen(path, "rb");
	struct bytes bytes = { .data = xcalloc(1, 4 * 1024 * 1024) };

	assert_non_null(stream);
	bytes.length = fread(bytes.data, 1, 4 * 1024 * 1024, stream);
	return bytes;
}

static void write_log(const char *folder, const struct bytes *bytes)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s-wal", folder, STORE_FILE_NAME);
	_cleanup_(fclosep) FILE *stream = fopen(path, "wb");

	assert_non_null(stream);
	assert_int_equal(fwrite(bytes->data, 1, bytes->length, stream), bytes->length);
}

/* A file and its log as a power cut leaves them: the log has the last changes. */
static void make_with_log(const char *folder, struct bytes *ret_file, struct bytes *ret_log)
{
	_file_ file = NULL;

	file = open_in(folder);
	fill(file);
	store_file_close(file);
	file = open_in(folder);
	put_setting(file, "gain:san", "-9");
	assert_int_equal(store_file_begin(file, NULL), 0);
	change(file,
		(struct store_change){ .kind = STORE_DROP_ANNOUNCEMENT, .id = OWN("tin-007") });
	assert_int_equal(store_file_commit(file, NULL), 0);
	*ret_file = read_file(folder);
	*ret_log = read_log(folder);
}

static void the_log_is_part_of_what_is_read(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(bytes_done) struct bytes file, log;

	(void)state;
	make_with_log(folder, &file, &log);
	assert_true(log.length > PAGE);
	char *page = memmem(file.data, file.length, "<123>", 5);
	page = file.data + (page - file.data) / PAGE * PAGE;
	char before[PAGE];
	memcpy(before, page, PAGE);
	fill_nothing(page);
	clear_folder(folder);
	write_file(folder, file.data, file.length);
	write_log(folder, &log);
	_kept_ kept = recover(folder);
	assert_false(kept.announcements[7]); /* as the log says */
	kept.announcements[7] = true;
	expect_the_others(&kept, before, PAGE);
	assert_string_equal(kept.event->settings[0].value, "-9");
	/* It is aside with its file. */
	assert_int_equal(count_files(folder, STORE_FILE_NAME ".corrupt"), 2);
}

/* The log holds the whole file, the file itself is gone to pieces. */
static void a_sound_log_mends_a_smashed_file(void **state)
{
	_folder_ folder = folder_new();
	struct store_file *file = open_in(folder);

	(void)state;
	put_setting(file, "a", "1");
	_cleanup_(bytes_done) struct bytes log = read_log(folder);
	store_file_close(file);
	clear_folder(folder);
	write_file(folder, "hỏng", 4);
	write_log(folder, &log);
	_file_ again = open_in(folder);
	_event_ event = load(again);
	assert_int_equal(event->settings_count, 1);
}

static void flipped_bits_in_the_log_cost_only_what_the_log_has(void **state)
{
	_folder_ folder = memory_folder_new();
	_cleanup_(bytes_done) struct bytes file, log;
	uint64_t random = 521288629;

	(void)state;
	make_with_log(folder, &file, &log);
	for (int round = 0; round < 40; round++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		size_t at = (random >> 20) % log.length;
		char bit = (char)(1 << (random >> 16) % 8);
		log.data[at] ^= bit;
		clear_folder(folder);
		write_file(folder, file.data, round % 2 ? file.length : file.length - PAGE);
		write_log(folder, &log);
		_file_ opened = open_in(folder);
		_kept_ kept = look_into(opened);
		kept.announcements[7] = true; /* dropped, if that could be read */
		const char *last = file.data + file.length - PAGE;
		expect_the_others(&kept, last, round % 2 ? 0 : PAGE);
		assert_int_equal(kept.event->settings_count, 1);
		log.data[at] ^= bit;
	}
}

/* --- What must not come back ---------------------------------------------------------------- */

static void dropped_rows_do_not_come_back(void **state)
{
	_folder_ folder = folder_new();
	struct store_file *file = open_in(folder);

	(void)state;
	fill(file);
	assert_int_equal(store_file_begin(file, NULL), 0);
	for (int i = 0; i < ITEMS; i++) {
		_cleanup_(freep) char *id = xasprintf("tin-%03d", i);
		if (i >= 50)
			change(file,
				(struct store_change){ .kind = STORE_DROP_ANNOUNCEMENT, .id = id });
	}
	assert_int_equal(store_file_commit(file, NULL), 0);
	store_file_close(file);
	_cleanup_(bytes_done) struct bytes bytes = read_file(folder);
	assert_non_null(memmem(bytes.data, bytes.length, "<123>", 5)); /* on a free page */
	char *page = memmem(bytes.data, bytes.length, "(100)", 5);
	fill_nothing(bytes.data + (page - bytes.data) / PAGE * PAGE);
	write_file(folder, bytes.data, bytes.length);
	_kept_ kept = recover(folder);
	assert_int_equal(kept.announcements_count, 50);
	assert_int_equal(kept.plays_count, ITEMS);
	assert_true(kept.receipts_count < ITEMS);
}

static void put_one_play(struct store_file *file, int64_t revision, enum play_state state)
{
	write_one(file, (struct store_change){ .kind = STORE_PUT_PLAY,
				.id = OWN("tin-001"),
				.output = OWN("san"),
				.revision = revision,
				.state = state,
				.time_us = NOW_US });
}

/* Two pages with one key, because the list of free pages is gone: what speaks least wins. */
static void of_two_truths_the_one_that_does_not_speak_twice(void **state)
{
	static const struct {
		int64_t revision;
		enum play_state state;
	} table[][2] = {
		/* the second wins, wherever it stands */
		{ { 1, PLAY_QUEUED }, { 1, PLAY_FINISHED } },
		{ { 1, PLAY_PLAYING }, { 1, PLAY_EXPIRED } },
		{ { 1, PLAY_QUEUED }, { 1, PLAY_PLAYING } },
		{ { 1, PLAY_FINISHED }, { 2, PLAY_QUEUED } },
	};
	_folder_ folder = memory_folder_new();

	(void)state;
	for (size_t i = 0; i < 2 * countof(table); i++) {
		size_t first = i % 2;
		struct bytes files[2];
		for (size_t f = 0; f < 2; f++) {
			clear_folder(folder);
			struct store_file *file = open_in(folder);
			put_one_play(file, table[i / 2][f].revision, table[i / 2][f].state);
			store_file_close(file);
			files[f] = read_file(folder);
		}
		struct bytes *base = &files[first];
		memcpy(base->data + base->length, files[!first].data, files[!first].length);
		fill_noise(base->data); /* both first pages */
		fill_noise(base->data + base->length);
		clear_folder(folder);
		write_file(folder, base->data, base->length + files[!first].length);
		_file_ file = open_in(folder);
		_event_ event = load(file);
		assert_int_equal(event->plays_count, 1);
		assert_int_equal(event->plays[0].state, table[i / 2][1].state);
		assert_int_equal(event->plays[0].revision, table[i / 2][1].revision);
		bytes_done(&files[0]);
		bytes_done(&files[1]);
	}
}

/* --- Older files, other files --------------------------------------------------------------- */

static const char version_1_sql[] =
	"CREATE TABLE announcement (id TEXT PRIMARY KEY, revision INTEGER NOT NULL,"
	" json TEXT NOT NULL, sha256 TEXT NOT NULL, arrival_us INTEGER NOT NULL,"
	" sequence INTEGER NOT NULL);"
	"CREATE TABLE play (id TEXT NOT NULL, output TEXT NOT NULL, revision INTEGER NOT NULL,"
	" state TEXT NOT NULL, forget_us INTEGER NOT NULL, PRIMARY KEY (id, output));"
	"CREATE TABLE receipt (sequence INTEGER PRIMARY KEY, json TEXT NOT NULL);"
	"CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"INSERT INTO play VALUES ('tin-000', 'san', 1, 'queued', 1795255200000000);"
	"INSERT INTO receipt VALUES (1, '{\"id\":\"(000)\",\"at\":\"2026-11-21T17:00:00+07:00\"}');"
	"PRAGMA user_version = 1;";

static void a_damaged_file_of_version_1_is_read_as_well(void **state)
{
	_folder_ folder = folder_new();

	(void)state;
	make_by_sql(folder, version_1_sql);
	_cleanup_(bytes_done) struct bytes bytes = read_file(folder);
	fill_noise(bytes.data);
	write_file(folder, bytes.data, bytes.length);
	_kept_ kept = recover(folder);
	assert_int_equal(kept.plays_count, 1);
	assert_int_equal(kept.receipts_count, 1);
}

/* --- Power cuts while the new file is made -------------------------------------------------- */

static void rename_in(const char *folder, const char *from, const char *to)
{
	_cleanup_(freep) char *old_path = xasprintf("%s/%s%s", folder, STORE_FILE_NAME, from);
	_cleanup_(freep) char *new_path = xasprintf("%s/%s%s", folder, STORE_FILE_NAME, to);

	assert_int_equal(rename(old_path, new_path), 0);
}

static void what_was_half_made_is_made_again(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_full_file(folder);

	(void)state;
	write_file(folder, bytes.data, bytes.length / 3);
	rename_in(folder, "", ".new");
	memset(bytes.data + PAGE, 0, PAGE);
	write_file(folder, bytes.data, bytes.length);
	_kept_ kept = recover(folder);
	assert_int_equal(kept.announcements_count, ITEMS);
}

/* Every instant of the exchange; what is ready is the store's. */
static void an_exchange_that_was_cut_off_is_ended(void **state)
{
	static const struct {
		bool file, log; /* are still there */
	} instants[] = { { true, true }, { false, true }, { false, false } };
	_folder_ folder = folder_new();
	_cleanup_(bytes_done) struct bytes file, log;

	(void)state;
	make_with_log(folder, &file, &log);
	for (size_t i = 0; i < countof(instants); i++) {
		clear_folder(folder);
		struct store_file *ready = open_in(folder);
		put_setting(ready, "cuu", "1");
		store_file_close(ready);
		rename_in(folder, "", ".ready");
		if (instants[i].file)
			write_file(folder, file.data, file.length);
		if (instants[i].log)
			write_log(folder, &log);
		_file_ opened = open_in(folder);
		_event_ event = load(opened);
		assert_int_equal(event->settings_count, 1);
		assert_string_equal(event->settings[0].key, "cuu");
		assert_int_equal(event->announcements_count, 0);
		assert_int_equal(count_files(folder, STORE_FILE_NAME ".ready"), 0);
		assert_int_equal(count_files(folder, STORE_FILE_NAME ".corrupt"),
			instants[i].file + instants[i].log);
	}
}

/* No room for the new file: the old one stays where it is, for the next try. */
static void without_room_nothing_is_moved(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_full_file(folder);
	_cleanup_(freep) char *in_the_way = xasprintf("%s/%s.new", folder, STORE_FILE_NAME);
	struct store_file *file = NULL;
	struct error error = { "" };

	(void)state;
	memset(bytes.data + PAGE, 0, PAGE);
	write_file(folder, bytes.data, bytes.length);
	assert_int_equal(mkdir(in_the_way, 0700), 0);
	assert_true(store_file_open(folder, &file, &error) < 0);
	assert_non_null(strstr(error.text, ".new"));
	assert_int_equal(count_files(folder, STORE_FILE_NAME ".corrupt"), 0);
	assert_int_equal(rmdir(in_the_way), 0);
	_kept_ kept = recover(folder);
	assert_int_equal(kept.announcements_count, ITEMS);
}

static void only_the_newest_damaged_files_are_kept(void **state)
{
	_folder_ folder = memory_folder_new();

	(void)state;
	for (int i = 0; i < 8; i++) {
		char content[] = "hỏng 0";
		content[sizeof content - 2] = (char)('0' + i);
		write_file(folder, content, sizeof content);
		store_file_close(open_in(folder));
	}
	assert_int_equal(count_files(folder, STORE_FILE_NAME ".corrupt"), 5);
}

/* --- Bounds --------------------------------------------------------------------------------- */

static void it_ends_when_it_has_to(void **state)
{
	_folder_ damaged = folder_new();
	_folder_ fresh = folder_new();
	_cleanup_(bytes_done) struct bytes bytes = make_full_file(damaged);
	_cleanup_(freep) char *path = file_path(damaged);
	_file_ file = open_in(fresh);
	struct store_salvaged salvaged;

	(void)state;
	assert_true(bytes.length > 0);
	assert_int_equal(store_salvage(path, clock_mono_us(), file, &salvaged, NULL), 0);
	assert_true(salvaged.cut_short);
	assert_int_equal(salvaged.announcements, 0);
	assert_int_equal(store_salvage(path, INT64_MAX, file, &salvaged, NULL), 0);
	assert_false(salvaged.cut_short);
	assert_int_equal(salvaged.announcements, ITEMS);
	assert_int_equal(salvaged.receipts, ITEMS);
}

static void put_u16(char *at, size_t number)
{
	at[0] = (char)(number >> 8);
	at[1] = (char)(number & 0xff);
}

/* `count` leaves of `cells` cells that are all the same one: `cell`. */
static void write_liars(
	const char *folder, size_t count, size_t cells, const char *cell, size_t cell_bytes)
{
	_cleanup_(freep) char *path = file_path(folder);
	_cleanup_(fclosep) FILE *stream = fopen(path, "wb");
	char page[PAGE] = { 0 };

	assert_non_null(stream);
	assert_int_equal(fwrite(page, 1, PAGE, stream), PAGE);
	put_u16(page + 2, 2); /* the second page is its own successor */
	assert_int_equal(fwrite(page, 1, PAGE, stream), PAGE);
	put_u16(page + 2, 0);
	page[0] = 0x0d;
	put_u16(page + 3, cells);
	for (size_t i = 0; i < cells; i++)
		put_u16(page + 8 + 2 * i, PAGE - cell_bytes);
	memcpy(page + PAGE - cell_bytes, cell, cell_bytes);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(fwrite(page, 1, PAGE, stream), PAGE);
}

/* 256 overflow pages for each of three million rows, if one believed it. */
static void chains_that_run_in_circles_come_to_an_end(void **state)
{
	/* 1,048,575 bytes in row 1; 1,023 of them here, the rest from the second page on */
	char cell[4 + 1023 + 4] = { (char)0xbf, (char)0xff, 0x7f, 1 };
	_folder_ folder = memory_folder_new();

	(void)state;
	cell[sizeof cell - 1] = 2;
	write_liars(folder, 3000, 1000, cell, sizeof cell);
	_file_ file = open_in(folder);
	assert_non_null(strstr(store_file_notice(file), "giữ lại 0 thông báo"));
	assert_null(strstr(store_file_notice(file), "chưa chép"));
}

/* A page says that it has more rows than there is room for. */
static void cells_do_not_lie_over_each_other(void **state)
{
	static const char cell[] = { 6, 1, 4, 0, 17, 9, '{', '}' }; /* row 1: NULL, "{}", 1 */
	const size_t cells = 1500, room = (PAGE - 8 - 2 * cells) / sizeof cell;
	_folder_ folder = memory_folder_new();

	(void)state;
	write_liars(folder, 1, cells, cell, sizeof cell);
	_file_ file = open_in(folder);
	_cleanup_(freep) char *told = xasprintf(
		"1 biên nhận; không đọc được %zu bản ghi", cells - room);
	if (!strstr(store_file_notice(file), told))
		fail_msg("%s", store_file_notice(file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_one_smashed_page_costs_only_what_stood_on_it),
		cmocka_unit_test(a_smashed_leaf_is_told_and_its_neighbours_are_kept),
		cmocka_unit_test(a_changed_text_is_not_carried_over),
		cmocka_unit_test(a_truncated_file_keeps_what_is_left),
		cmocka_unit_test(flipped_bits_cost_single_rows),
		cmocka_unit_test(the_log_is_part_of_what_is_read),
		cmocka_unit_test(a_sound_log_mends_a_smashed_file),
		cmocka_unit_test(flipped_bits_in_the_log_cost_only_what_the_log_has),
		cmocka_unit_test(dropped_rows_do_not_come_back),
		cmocka_unit_test(of_two_truths_the_one_that_does_not_speak_twice),
		cmocka_unit_test(a_damaged_file_of_version_1_is_read_as_well),
		cmocka_unit_test(what_was_half_made_is_made_again),
		cmocka_unit_test(an_exchange_that_was_cut_off_is_ended),
		cmocka_unit_test(without_room_nothing_is_moved),
		cmocka_unit_test(only_the_newest_damaged_files_are_kept),
		cmocka_unit_test(it_ends_when_it_has_to),
		cmocka_unit_test(chains_that_run_in_circles_come_to_an_end),
		cmocka_unit_test(cells_do_not_lie_over_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_pages.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_HEADER_BYTES 100
#define FILE_COUNT_AT     28 /* pages */
#define FILE_FREE_AT      32 /* the first trunk of the free list */

#define LOG_HEADER_BYTES   32
#define LOG_SUMMED_BYTES   24         /* of the header */
#define LOG_MAGIC          0x377f0682 /* its lowest bit: the sums are of big-endian words */
#define FRAME_HEADER_BYTES 24
#define FRAME_SUMMED_BYTES 8 /* of the header, then the page */
#define FRAME_BYTES        (FRAME_HEADER_BYTES + STORE_PAGE_BYTES)

/* How often a file may be read as a whole. Rows do not share their overflow pages, so in sum the
 * chains are not longer than the file, each time; those of a damaged file may run in circles. */
#define READINGS 16

#define TRUNK_LEAVES_MAX (STORE_PAGE_BYTES / 4 - 2)

#define LEAF_HEADER_BYTES     8
#define INTERIOR_HEADER_BYTES 12
#define VARINT_MAX            9
#define SERIAL_TEXT_FIRST     13
/* How much of a row is in its leaf, and where the rest is: "B-tree Cell Format". */
#define LOCAL_MAX      (STORE_PAGE_BYTES - 35)
#define LOCAL_MIN      ((STORE_PAGE_BYTES - 12) * 32 / 255 - 23)
#define OVERFLOW_BYTES (STORE_PAGE_BYTES - 4)

enum page_type {
	PAGE_INDEX_INTERIOR = 0x02,
	PAGE_TABLE_INTERIOR = 0x05,
	PAGE_INDEX_LEAF = 0x0a,
	PAGE_TABLE_LEAF = 0x0d,
};

enum page_use {
	USE_UNKNOWN,
	USE_FREE,
	USE_OVERFLOW, /* the rest of a row that was read */
};

struct store_pages {
	int file, log; /* log −1: there is none */
	uint32_t count;
	uint32_t *frames; /* by page: its place in the log, from 1; 0: it is in the file */
	uint8_t *uses;    /* by page: enum page_use */
	uint8_t page[STORE_PAGE_BYTES];
	uint8_t rest[STORE_PAGE_BYTES]; /* an overflow page */
	uint8_t *record;                /* STORE_RECORD_BYTES */
	uint64_t rests_left;            /* overflow pages that may still be read, see READINGS */
};

static uint32_t read_u16(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 8 | bytes[1];
}

static uint32_t read_u32(const uint8_t *bytes)
{
	return read_u16(bytes) << 16 | read_u16(bytes + 2);
}

/* The number of bytes, or 0 if it goes beyond `end`. */
static size_t read_varint(const uint8_t *at, const uint8_t *end, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (size_t i = 0; i < VARINT_MAX && at + i < end; i++) {
		if (i == VARINT_MAX - 1) {
			*ret_number = number << 8 | at[i];
			return VARINT_MAX;
		}
		number = number << 7 | (at[i] & 0x7f);
		if (!(at[i] & 0x80)) {
			*ret_number = number;
			return i + 1;
		}
	}
	return 0;
}

/* A short or failed read is as good as a damaged page. */
static bool read_bytes(int fd, uint64_t offset, uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t got = pread(fd, bytes, length, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		bytes += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return true;
}

/* --- The log -------------------------------------------------------------------------------- */

struct sums {
	uint32_t first, second;
};

static void add_to_sums(struct sums *sums, const uint8_t *bytes, size_t length, bool big_endian)
{
	for (size_t i = 0; i + 8 <= length; i += 8) {
		uint32_t a = read_u32(bytes + i), b = read_u32(bytes + i + 4);
		sums->first += (big_endian ? a : __builtin_bswap32(a)) + sums->second;
		sums->second += (big_endian ? b : __builtin_bswap32(b)) + sums->first;
	}
}

static bool sums_are(const struct sums *sums, const uint8_t *stored)
{
	return sums->first == read_u32(stored) && sums->second == read_u32(stored + 4);
}

static uint64_t frame_offset(uint32_t frame)
{
	return LOG_HEADER_BYTES + (uint64_t)(frame - 1) * FRAME_BYTES;
}

/* The last frame that ends a transaction, all frames up to it being sound; and how many pages the
 * file has after it. */
static uint32_t last_commit(struct store_pages *pages, uint32_t *ret_count)
{
	uint8_t header[LOG_HEADER_BYTES], frame[FRAME_HEADER_BYTES];
	struct sums sums = { 0 };
	uint32_t last = 0;

	if (!read_bytes(pages->log, 0, header, sizeof header) ||
		(read_u32(header) & ~1U) != LOG_MAGIC || read_u32(header + 8) != STORE_PAGE_BYTES)
		return 0;
	bool big_endian = read_u32(header) & 1;
	add_to_sums(&sums, header, LOG_SUMMED_BYTES, big_endian);
	if (!sums_are(&sums, header + LOG_SUMMED_BYTES))
		return 0;
	for (uint32_t i = 1; i <= STORE_FRAMES_MAX; i++) {
		if (!read_bytes(pages->log, frame_offset(i), frame, sizeof frame) ||
			!read_bytes(pages->log, frame_offset(i) + sizeof frame, pages->page,
				STORE_PAGE_BYTES) ||
			memcmp(frame + 8, header + 16, 8) != 0) /* salts: of an earlier log */
			break;
		add_to_sums(&sums, frame, FRAME_SUMMED_BYTES, big_endian);
		add_to_sums(&sums, pages->page, STORE_PAGE_BYTES, big_endian);
		if (!sums_are(&sums, frame + 16) || read_u32(frame) == 0)
			break;
		if (read_u32(frame + 4) == 0)
			continue;
		last = i;
		*ret_count = read_u32(frame + 4);
	}
	return last;
}

static void map_log(struct store_pages *pages, uint32_t last)
{
	uint8_t frame[FRAME_HEADER_BYTES];

	for (uint32_t i = 1; i <= last; i++) {
		if (!read_bytes(pages->log, frame_offset(i), frame, sizeof frame))
			return;
		uint32_t number = read_u32(frame);
		if (number <= pages->count)
			pages->frames[number] = i;
	}
}

/* --- Pages ---------------------------------------------------------------------------------- */

static bool read_page(struct store_pages *pages, uint32_t number, uint8_t *ret_page)
{
	if (number < 1 || number > pages->count)
		return false;
	uint32_t frame = pages->frames[number];
	if (frame)
		return read_bytes(pages->log, frame_offset(frame) + FRAME_HEADER_BYTES, ret_page,
			STORE_PAGE_BYTES);
	return read_bytes(
		pages->file, (uint64_t)(number - 1) * STORE_PAGE_BYTES, ret_page, STORE_PAGE_BYTES);
}

/* Notes the pages of one trunk of the free list, if it can be one. Returns the next trunk, 0: none. */
static uint32_t note_trunk(struct store_pages *pages, uint32_t number)
{
	if (!read_page(pages, number, pages->page) || pages->uses[number] == USE_FREE)
		return 0;
	uint32_t leaves = read_u32(pages->page + 4);
	if (leaves > TRUNK_LEAVES_MAX || read_u32(pages->page) > pages->count)
		return 0;
	for (uint32_t i = 0; i < leaves; i++) {
		uint32_t leaf = read_u32(pages->page + 8 + (size_t)i * 4);
		if (leaf < 2 || leaf > pages->count)
			return 0; /* a trunk that lies about one lies about all */
	}
	for (uint32_t i = 0; i < leaves; i++)
		pages->uses[read_u32(pages->page + 8 + (size_t)i * 4)] = USE_FREE;
	pages->uses[number] = USE_FREE;
	return read_u32(pages->page);
}

static bool has_magic(const uint8_t *first_page)
{
	static const char magic[] = "SQLite format 3";

	return memcmp(first_page, magic, sizeof magic) == 0;
}

static void note_free_pages(struct store_pages *pages)
{
	if (!read_page(pages, 1, pages->page) || !has_magic(pages->page))
		return;
	/* Each step notes a page, so the chain ends. */
	for (uint32_t trunk = read_u32(pages->page + FILE_FREE_AT); trunk > 1;)
		trunk = note_trunk(pages, trunk);
}

/* How many pages there should be: those of the log's last transaction, else of the file, and at
 * least what its header says, so that what was cut off counts. */
static uint32_t count_pages(struct store_pages *pages, uint64_t file_bytes, uint32_t log_count)
{
	uint64_t count = (file_bytes + STORE_PAGE_BYTES - 1) / STORE_PAGE_BYTES;

	if (log_count > 0)
		count = log_count;
	else if (read_bytes(pages->file, 0, pages->page, FILE_HEADER_BYTES) &&
		 has_magic(pages->page) && read_u32(pages->page + FILE_COUNT_AT) > count)
		count = read_u32(pages->page + FILE_COUNT_AT);
	return count < STORE_PAGES_MAX ? (uint32_t)count : STORE_PAGES_MAX;
}

int store_pages_open(const char *path, struct store_pages **ret_pages, struct error *error)
{
	_cleanup_(store_pages_closep) struct store_pages *pages = xcalloc(1, sizeof *pages);
	_cleanup_(freep) char *log = xasprintf("%s-wal", path);
	struct stat status;
	uint32_t log_count = 0;

	pages->log = -1;
	pages->file = open(path, O_RDONLY | O_CLOEXEC);
	if (pages->file < 0 || fstat(pages->file, &status) < 0)
		return error_set(error, -errno, "%s: không mở được: %s", path, strerror(errno));
	pages->log = open(log, O_RDONLY | O_CLOEXEC);
	pages->record = xcalloc(1, STORE_RECORD_BYTES);
	uint32_t last = pages->log < 0 ? 0 : last_commit(pages, &log_count);
	pages->count = count_pages(pages, (uint64_t)status.st_size, log_count);
	pages->frames = xcalloc((size_t)pages->count + 1, sizeof *pages->frames);
	pages->uses = xcalloc((size_t)pages->count + 1, sizeof *pages->uses);
	pages->rests_left = (uint64_t)READINGS * pages->count;
	map_log(pages, last);
	note_free_pages(pages);
	*ret_pages = hand_over(pages);
	return 0;
}

struct store_pages *store_pages_close(struct store_pages *pages)
{
	if (!pages)
		return NULL;
	closep(&pages->file);
	closep(&pages->log);
	free(pages->frames);
	free(pages->uses);
	free(pages->record);
	free(pages);
	return NULL;
}

uint32_t store_pages_count(const struct store_pages *pages)
{
	return pages->count;
}

/* --- Rows ----------------------------------------------------------------------------------- */

/* The bytes of a value with this serial type. */
static uint64_t value_bytes(uint64_t type)
{
	static const uint8_t sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0 };

	return type < countof(sizes) ? sizes[type] : (type - countof(sizes)) / 2;
}

static int64_t read_integer(const uint8_t *bytes, uint64_t length)
{
	uint64_t number = length > 0 && bytes[0] & 0x80 ? UINT64_MAX : 0;

	for (uint64_t i = 0; i < length; i++)
		number = number << 8 | bytes[i];
	return (int64_t)number;
}

static struct store_value read_value(uint64_t type, const uint8_t *bytes)
{
	uint64_t length = value_bytes(type);

	if (type == 0)
		return (struct store_value){ .kind = STORE_VALUE_NULL };
	if (type == 8 || type == 9)
		return (struct store_value){ .kind = STORE_VALUE_INTEGER,
			.integer = (int64_t)type - 8 };
	if (type <= 6)
		return (struct store_value){ .kind = STORE_VALUE_INTEGER,
			.integer = read_integer(bytes, length) };
	if (type >= SERIAL_TEXT_FIRST && type % 2)
		return (struct store_value){
			.kind = STORE_VALUE_TEXT, .text = (const char *)bytes, .length = length
		};
	return (struct store_value){ .kind = STORE_VALUE_OTHER };
}

/* Cuts a record into its columns. */
static bool read_record(const uint8_t *bytes, size_t length, struct store_record *ret_record)
{
	uint64_t header;
	size_t at = read_varint(bytes, bytes + length, &header);

	if (at == 0 || header > length)
		return false;
	size_t body = (size_t)header;
	ret_record->count = 0;
	while (at < header) {
		uint64_t type;
		size_t used = read_varint(bytes + at, bytes + header, &type);
		if (used == 0 || ret_record->count == STORE_COLUMNS_MAX ||
			value_bytes(type) > length - body)
			return false;
		ret_record->columns[ret_record->count++] = read_value(type, bytes + body);
		at += used;
		body += (size_t)value_bytes(type);
	}
	return body == length;
}

/* Follows the rest of a row from page to page. */
static bool read_rest(struct store_pages *pages, uint32_t number, size_t from, size_t length)
{
	while (from < length) {
		if (number < 2 || pages->rests_left == 0 || !read_page(pages, number, pages->rest))
			return false;
		pages->rests_left--;
		if (pages->uses[number] == USE_UNKNOWN)
			pages->uses[number] = USE_OVERFLOW;
		size_t part = length - from < OVERFLOW_BYTES ? length - from : OVERFLOW_BYTES;
		memcpy(pages->record + from, pages->rest + 4, part);
		from += part;
		number = read_u32(pages->rest);
	}
	return true;
}

/* How many bytes of a row of `length` are in its leaf. */
static size_t local_bytes(size_t length)
{
	if (length <= LOCAL_MAX)
		return length;
	size_t local = LOCAL_MIN + (length - LOCAL_MIN) % OVERFLOW_BYTES;
	return local <= LOCAL_MAX ? local : LOCAL_MIN;
}

/* Returns how many bytes of the page the cell takes; 0: it cannot be followed. */
static size_t read_cell(struct store_pages *pages, size_t at, struct store_record *ret_record)
{
	const uint8_t *end = pages->page + STORE_PAGE_BYTES, *cell = pages->page + at;
	uint64_t length, rowid;
	size_t used = read_varint(cell, end, &length);

	cell += used;
	size_t used_by_rowid = used ? read_varint(cell, end, &rowid) : 0;
	if (used_by_rowid == 0 || length > STORE_RECORD_BYTES)
		return 0;
	cell += used_by_rowid;
	size_t local = local_bytes((size_t)length), link = local < length ? 4 : 0;
	if ((size_t)(end - cell) < local + link)
		return 0;
	ret_record->rowid = (int64_t)rowid;
	bool read = false;
	if (link == 0) {
		read = read_record(cell, (size_t)length, ret_record);
	} else {
		memcpy(pages->record, cell, local);
		read = read_rest(pages, read_u32(cell + local), local, (size_t)length) &&
		       read_record(pages->record, (size_t)length, ret_record);
	}
	return read ? used + used_by_rowid + local + link : 0;
}

size_t store_pages_read(struct store_pages *pages, uint32_t number,
	void (*each)(const struct store_record *record, void *context), void *context)
{
	size_t lost = 0;

	/* The first page has the tables of tables, which are known. */
	if (number < 2 || number > pages->count || pages->uses[number] == USE_FREE ||
		!read_page(pages, number, pages->page) || pages->page[0] != PAGE_TABLE_LEAF)
		return 0;
	size_t cells = read_u16(pages->page + 3), begin = LEAF_HEADER_BYTES + 2 * cells;
	if (begin > STORE_PAGE_BYTES)
		return 1;
	size_t room = STORE_PAGE_BYTES - begin; /* cells do not lie over each other */
	for (size_t i = 0; i < cells; i++) {
		struct store_record record;
		size_t at = read_u16(pages->page + LEAF_HEADER_BYTES + 2 * i);
		size_t bytes = at >= begin && at < STORE_PAGE_BYTES ? read_cell(pages, at, &record)
								    : 0;
		if (bytes == 0 || bytes > room) {
			lost++;
			continue;
		}
		room -= bytes;
		each(&record, context);
	}
	return lost;
}

static bool part_of_a_tree(const uint8_t *page)
{
	bool interior = page[0] == PAGE_INDEX_INTERIOR || page[0] == PAGE_TABLE_INTERIOR;
	bool leaf = page[0] == PAGE_INDEX_LEAF || page[0] == PAGE_TABLE_LEAF;
	size_t header = interior ? INTERIOR_HEADER_BYTES : LEAF_HEADER_BYTES;

	return (interior || leaf) && header + 2 * read_u16(page + 3) <= STORE_PAGE_BYTES;
}

size_t store_pages_damaged(struct store_pages *pages)
{
	size_t damaged = 0;

	for (uint32_t number = 2; number <= pages->count; number++)
		if (pages->uses[number] == USE_UNKNOWN)
			damaged += !read_page(pages, number, pages->page) ||
				   !part_of_a_tree(pages->page);
	return damaged;
}

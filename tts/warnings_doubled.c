/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words written twice by mistake. Vietnamese doubles words on purpose (luôn luôn, xanh xanh, ngày
 * ngày), and where two compounds meet a syllable stands twice by right (bảo vệ vệ sinh, hiện tại
 * tại xã, Ủy ban ban hành). So only what does neither is warned of: words of grammar and of
 * administration, listed here; words that a number follows; and two words repeated as a pair.
 */
#include "base/utf8.h"
#include "tts/letter.h"
#include "tts/syllable.h"
#include "tts/warnings.h"

#include <string.h>

static const struct {
	const char *word;
	const char *compounds; /* what makes one word with it, so that it may stand twice */
} lone_words[] = {
	{ "bởi", NULL },
	{ "bị", "chuẩn,thiết,trang" },
	{ "các", NULL },
	{ "cho", NULL },
	{ "chưa", NULL },
	{ "còn", NULL },
	{ "cùng", "cuối" },
	{ "cũng", NULL },
	{ "của", NULL },
	{ "cần", NULL },
	{ "do", "tự,lý" },
	{ "dưới", NULL },
	{ "giữa", NULL },
	{ "hoặc", NULL },
	{ "hãy", NULL },
	{ "khi", NULL },
	{ "khoảng", NULL },
	{ "lúc", NULL },
	{ "là", "lụa" },
	{ "mà", "mượt" },
	{ "mọi", NULL },
	{ "mỗi", NULL },
	{ "mời", "giấy,thư,lời" },
	{ "nhưng", NULL },
	{ "nhằm", NULL },
	{ "như", NULL },
	{ "những", NULL },
	{ "nào", NULL },
	{ "này", NULL },
	{ "nếu", NULL },
	{ "phải", "bên,tay,trái" },
	{ "qua", "vừa,thông" },
	{ "sau", "phía,lần,tuần,tháng,năm,hôm" },
	{ "sẽ", NULL },
	{ "theo", "kèm,tiếp" },
	{ "thì", NULL },
	{ "trong", "bên,phía,nước" },
	{ "trên", "bên,phía" },
	{ "trước", "báo,trả,ứng,nộp,phía,lần,thanh,đặt" },
	{ "tuy", NULL },
	{ "và", NULL },
	{ "vào", "ra,đầu" },
	{ "vì", NULL },
	{ "vẫn", NULL },
	{ "với", NULL },
	{ "về", "trở,đi,rút" },
	{ "xin", "đơn,cầu,van" },
	{ "đang", NULL },
	{ "đã", NULL },
	{ "đó", NULL },
	{ "đến", NULL },
	{ "để", NULL },
	{ "được", NULL },
	{ "ở", "nhà,chỗ,nơi,đất" },
	{ "bà", "đàn,ông" },
	{ "bản", "văn,cơ,căn,kịch,phiên,xuất,tài,thôn,nguyên" },
	{ "cụ", "dụng,công,nông,khí,nhạc,đạo,ngư" },
	{ "giờ", "bây" },
	{ "huyện", NULL },
	{ "hộ", "ủng,bảo,che,biện,chủ" },
	{ "khóa", "chìa,ổ,nhập,mãn" },
	{ "khu", "phân,liên,quân,chiến" },
	{ "phút", NULL },
	{ "phường", NULL },
	{ "quận", NULL },
	{ "thôn", "nông,hương" },
	{ "tháng", NULL },
	{ "tỉnh", NULL },
	{ "xã", "tác,thị,làng" },
	{ "ông", "đàn,cha" },
	{ "xóm", "làng,bà" },
	{ "ấp", "ôm" },
};

/* Doubled by right otherwise, not before a number: "từ từ 7h30", "ngày ngày 5/6". */
static const char *const numbered_words[] = { "cấp", "lần", "mức", "ngày", "quý", "số", "thứ",
	"tuần", "tổ", "từ", "đợt" };

/* Pairs that are repeated on purpose begin with these. */
static const char *const insisting_words[] = { "cố", "mãi", "một", "ngàn", "nhanh", "rất", "từng" };

/* Digits in words: a telephone number that was typed so. */
static const char *const digits[] = { "ba", "bảy", "bốn", "chín", "hai", "không", "lăm", "linh",
	"một", "mốt", "mười", "mươi", "năm", "sáu", "trăm", "tám", "tư" };

static void put_lower(char ret_word[SYLLABLE_BYTES_MAX + 1], const char *text, size_t length)
{
	size_t bytes = 0;

	for (size_t at = 0; at < length;) {
		uint32_t c = ' ';
		at += utf8_decode(text + at, length - at, &c);
		char letter[4];
		size_t count = utf8_encode(letter_lower(c), letter);
		if (bytes + count > SYLLABLE_BYTES_MAX)
			break;
		memcpy(ret_word + bytes, letter, count);
		bytes += count;
	}
	ret_word[bytes] = '\0';
}

static bool is_one_of(const char *word, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

struct pair {
	const char *clean;
	const struct normalised *normalised;
};

/* Whether words[i] is said as it is written: one syllable for one, no number, no abbreviation. */
static bool is_written_so(const struct pair *pair, size_t i)
{
	const struct spoken_word *word = &pair->normalised->words[i];

	return syllable_valid(pair->clean + word->from, word->to - word->from);
}

/* Whether words[i] and words[j] are written alike, nothing but letters. A capital where the other
 * has none begins a name: "chợ Chợ Mới". */
static bool alike(const struct pair *pair, size_t i, size_t j)
{
	const struct spoken_word *left = &pair->normalised->words[i];
	const struct spoken_word *right = &pair->normalised->words[j];
	char first[SYLLABLE_BYTES_MAX + 1], second[SYLLABLE_BYTES_MAX + 1];
	size_t length = left->to - left->from;

	if (left->to > right->from || right->to - right->from != length)
		return false;
	bool same = memcmp(pair->clean + left->from, pair->clean + right->from, length) == 0;
	if (!same && length <= SYLLABLE_BYTES_MAX) {
		put_lower(first, pair->clean + left->from, length);
		put_lower(second, pair->clean + right->from, length);
		/* "Đã đã" at the beginning of a sentence, not "đã Đã". */
		same = strcmp(first, second) == 0 &&
		       memcmp(second, pair->clean + right->from, length) == 0;
	}
	return same && is_written_so(pair, i) && is_written_so(pair, j);
}

static bool number_follows(const struct pair *pair, size_t i)
{
	return i < pair->normalised->words_count &&
	       pair->clean[pair->normalised->words[i].from] >= '0' &&
	       pair->clean[pair->normalised->words[i].from] <= '9';
}

/* Whether the word before words[i] is one of `compounds`, a list with commas: "thiết bị | bị hỏng" */
static bool ends_compound(const struct pair *pair, size_t i, const char *compounds)
{
	if (!compounds || i == 0 || pair->normalised->words[i - 1].pause != SPOKEN_PAUSE_NONE)
		return false;
	const struct spoken_word *before = &pair->normalised->words[i - 1];
	char lower[SYLLABLE_BYTES_MAX + 1];
	put_lower(lower, before->text, strlen(before->text));
	size_t length = strlen(lower);
	for (const char *at = compounds; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (strncmp(at, lower, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

static bool is_mistake(const struct pair *pair, size_t i)
{
	const struct spoken_word *word = &pair->normalised->words[i];
	char lower[SYLLABLE_BYTES_MAX + 1];

	if (word->pause != SPOKEN_PAUSE_NONE || !alike(pair, i, i + 1))
		return false;
	put_lower(lower, pair->clean + word->from, word->to - word->from);
	for (size_t n = 0; n < countof(lone_words); n++)
		if (strcmp(lower, lone_words[n].word) == 0)
			return !ends_compound(pair, i, lone_words[n].compounds);
	return is_one_of(lower, numbered_words, countof(numbered_words)) &&
	       number_follows(pair, i + 2);
}

/* "thông báo thông báo" */
static bool is_pair_repeated(const struct pair *pair, size_t i)
{
	const struct spoken_word *words = pair->normalised->words;
	char lower[SYLLABLE_BYTES_MAX + 1];

	if (i + 3 >= pair->normalised->words_count || words[i].pause || words[i + 1].pause ||
		words[i + 2].pause || !alike(pair, i, i + 2) || !alike(pair, i + 1, i + 3) ||
		alike(pair, i, i + 1))
		return false;
	for (size_t n = i; n < i + 2; n++) {
		put_lower(lower, pair->clean + words[n].from, words[n].to - words[n].from);
		if (is_one_of(lower, digits, countof(digits)))
			return false;
	}
	put_lower(lower, pair->clean + words[i].from, words[i].to - words[i].from);
	return !is_one_of(lower, insisting_words, countof(insisting_words));
}

static void warn(
	struct warnings *warnings, const struct pair *pair, size_t first, size_t half, size_t last)
{
	size_t from = pair->normalised->words[first].from;
	size_t once = pair->normalised->words[half].to - from;

	warnings_add(warnings, WARNING_DOUBLED_WORD, from, pair->normalised->words[last].to,
		xasprintf("“%.*s” viết lặp lại liền nhau", (int)once, pair->clean + from));
}

void warnings_find_doubled(
	struct warnings *warnings, const char *clean, const struct normalised *normalised)
{
	const struct pair pair = { clean, normalised };

	for (size_t i = 0; i + 1 < normalised->words_count; i++) {
		if (is_mistake(&pair, i)) {
			size_t first = i;
			while (i + 2 < normalised->words_count && is_mistake(&pair, i + 1))
				i++;
			warn(warnings, &pair, first, first, i + 1);
		} else if (is_pair_repeated(&pair, i)) {
			warn(warnings, &pair, i, i + 1, i + 3);
			i += 3;
		}
	}
}

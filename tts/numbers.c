/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/numbers.h"

#include <string.h>

static const char *const names[] = { "không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám",
	"chín" };
static const char *const thousand[] = { [WORDING_NORTH] = "nghìn", [WORDING_SOUTH] = "ngàn" };
static const char *const odd[] = { [WORDING_NORTH] = "linh", [WORDING_SOUTH] = "lẻ" };

void numbers_word(const char *word, struct strbuf *out)
{
	if (out->length > 0)
		strbuf_putc(out, ' ');
	strbuf_puts(out, word);
}

/* --- Numbers to words --------------------------------------------------------------------------- */

static void say_ones(unsigned tens, unsigned ones, struct strbuf *out)
{
	if (ones == 0)
		return;
	if (ones == 1 && tens > 1)
		numbers_word("mốt", out);
	else if (ones == 4 && tens > 1)
		numbers_word("tư", out);
	else if (ones == 5 && tens > 0)
		numbers_word("lăm", out);
	else
		numbers_word(names[ones], out);
}

/* 1…999. `full`: something greater was said before, so the hundreds are said even if zero. */
static void say_group(unsigned value, bool full, enum wording wording, struct strbuf *out)
{
	unsigned hundreds = value / 100, tens = value / 10 % 10, ones = value % 10;

	if (hundreds > 0 || full) {
		numbers_word(names[hundreds], out);
		numbers_word("trăm", out);
		full = true;
	}
	if (tens > 1) {
		numbers_word(names[tens], out);
		numbers_word("mươi", out);
	} else if (tens == 1) {
		numbers_word("mười", out);
	} else if (ones > 0 && full) {
		numbers_word(odd[wording], out);
	}
	say_ones(tens, ones, out);
}

/* Groups of three from the left; after each nine digits that are followed by more, "tỷ". Thousands
 * that are none are named before hundreds: "một triệu năm trăm" would be heard as 1.500.000. */
void numbers_cardinal(const char *digits, size_t length, enum wording wording, struct strbuf *out)
{
	const char *const scales[] = { NULL, thousand[wording], "triệu" };
	unsigned value = 0, before;
	bool said = false;

	while (length > 1 && *digits == '0')
		digits++, length--;
	if (length > NUMBERS_DIGITS_MAX + 1) {
		numbers_digits(digits, length, out);
		return;
	}
	if (length == 0 || *digits == '0') {
		numbers_word(names[0], out);
		return;
	}
	for (size_t left = length; left > 0;) {
		before = value;
		value = 0;
		do
			value = value * 10 + (unsigned)(*digits++ - '0');
		while (--left % 3 != 0);
		if (value > 0) {
			if (said && before == 0 && value >= 100 && left % 9 == 0) {
				numbers_word(names[0], out);
				numbers_word(thousand[wording], out);
			}
			say_group(value, said, wording, out);
			said = true;
			if (scales[left / 3 % 3])
				numbers_word(scales[left / 3 % 3], out);
		}
		if (left > 0 && left % 9 == 0)
			numbers_word("tỷ", out);
	}
}

void numbers_value(uint64_t value, enum wording wording, struct strbuf *out)
{
	char digits[24];
	int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);

	numbers_cardinal(digits, (size_t)length, wording, out);
}

void numbers_digits(const char *digits, size_t length, struct strbuf *out)
{
	for (size_t i = 0; i < length; i++)
		numbers_word(names[digits[i] - '0'], out);
}

void numbers_fraction(const char *digits, size_t length, enum wording wording, struct strbuf *out)
{
	if (length > 3 || digits[0] == '0')
		numbers_digits(digits, length, out);
	else
		numbers_cardinal(digits, length, wording, out);
}

/* --- Words to numbers --------------------------------------------------------------------------- */

static const struct number_word {
	const char *word;
	enum { DIGIT, TEN, TENS, HUNDRED, ODD, SCALE } what;
	uint64_t value;
} number_words[] = {
	{ "không", DIGIT, 0 },
	{ "một", DIGIT, 1 },
	{ "mốt", DIGIT, 1 },
	{ "hai", DIGIT, 2 },
	{ "ba", DIGIT, 3 },
	{ "bốn", DIGIT, 4 },
	{ "tư", DIGIT, 4 },
	{ "năm", DIGIT, 5 },
	{ "lăm", DIGIT, 5 },
	{ "nhăm", DIGIT, 5 },
	{ "sáu", DIGIT, 6 },
	{ "bảy", DIGIT, 7 },
	{ "bẩy", DIGIT, 7 },
	{ "tám", DIGIT, 8 },
	{ "chín", DIGIT, 9 },
	{ "mười", TEN, 10 },
	{ "mươi", TENS, 10 },
	{ "trăm", HUNDRED, 100 },
	{ "linh", ODD, 0 },
	{ "lẻ", ODD, 0 },
	{ "nghìn", SCALE, 1000 },
	{ "ngàn", SCALE, 1000 },
	{ "triệu", SCALE, 1000000 },
	{ "tỷ", SCALE, 1000000000 },
	{ "tỉ", SCALE, 1000000000 },
};

static const struct number_word *find_word(const char *word, size_t length)
{
	for (size_t i = 0; i < countof(number_words); i++)
		if (strlen(number_words[i].word) == length &&
			memcmp(number_words[i].word, word, length) == 0)
			return &number_words[i];
	return NULL;
}

struct sum {
	uint64_t total, group; /* of what is complete; since the last scale */
	uint64_t scale;        /* the last one, 0: none */
	unsigned digit;        /* not yet placed */
	bool has_digit;
};

static void place_digit(struct sum *sum)
{
	if (sum->has_digit)
		sum->group += sum->digit;
	sum->digit = 0;
	sum->has_digit = false;
}

static bool add_scale(struct sum *sum, uint64_t scale)
{
	bool none = sum->has_digit && sum->digit == 0; /* không nghìn */

	place_digit(sum);
	if (scale == 1000000000) { /* nghìn tỷ: all that was said so far */
		if (sum->total + sum->group > UINT64_MAX / scale / 1000)
			return false;
		sum->total = (sum->total + sum->group) * scale;
	} else {
		if ((sum->group == 0 && !none) ||
			(sum->scale && sum->scale <= scale && sum->scale < 1000000000))
			return false;
		sum->total += sum->group * scale;
	}
	sum->group = 0;
	sum->scale = scale;
	return true;
}

static bool add_number_word(struct sum *sum, const struct number_word *word)
{
	switch (word->what) {
	case DIGIT:
		if (sum->has_digit)
			return false;
		sum->digit = (unsigned)word->value;
		sum->has_digit = true;
		return true;
	case TEN:
		place_digit(sum);
		sum->group += 10;
		return true;
	case TENS:
	case HUNDRED:
		if (!sum->has_digit)
			return false;
		sum->group += sum->digit * word->value;
		sum->has_digit = false;
		return true;
	case ODD:
		return !sum->has_digit;
	case SCALE:
		return add_scale(sum, word->value);
	}
	return false;
}

bool numbers_parse(const char *words, size_t length, uint64_t *ret_value)
{
	struct sum sum = { 0 };
	size_t count = 0;

	for (size_t at = 0; at < length; count++) {
		const char *blank = memchr(words + at, ' ', length - at);
		size_t end = blank ? (size_t)(blank - words) : length;
		const struct number_word *word = find_word(words + at, end - at);
		if (!word || sum.group > 999 || !add_number_word(&sum, word))
			return false;
		at = end + 1;
	}
	place_digit(&sum);
	if (count == 0)
		return false;
	*ret_value = sum.total + sum.group;
	return true;
}

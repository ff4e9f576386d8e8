/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the passes of the normaliser work on: a list of tokens. At first each is a word, a run of
 * digits, a sign or the end of a line, as written; a pass replaces those it understands by others
 * that are already said (TOKEN_SAID). Each token keeps the bytes it came from.
 *
 * Tokens are values; the strings they point to live in the passage's arena. Inside tts/ only.
 */
#pragma once

#include "tts/normalise.h"
#include <stdint.h>

enum token_kind {
	TOKEN_END,    /* none: before the first or after the last of the list */
	TOKEN_WORD,   /* letters */
	TOKEN_NUMBER, /* digits */
	TOKEN_SIGN,
	TOKEN_LINE, /* the end of one or more lines */
	TOKEN_SAID,
};

enum said { /* what a TOKEN_SAID was, for the passes after */
	SAID_WORDS,
	SAID_QUANTITY, /* a number with its unit */
	SAID_TIME,
	SAID_DATE,
	SAID_PHONE,
	SAID_CODE, /* address, plate, account */
};

/* What words say about the numbers beside them: tts/tables/cues.tsv has the words. */
enum cue {
	CUE_DAY,         /* left of a date: ngày, sáng, thứ hai */
	CUE_DATE,        /* within three words left of a date: từ, đến, dịp */
	CUE_BARE_DAY,    /* left of a day: no "ngày" is put between */
	CUE_MONTH,       /* tháng */
	CUE_NAMED,       /* left of a date that is a name: đường 30/4 */
	CUE_PERIOD,      /* left of N/YYYY: quý, đợt, khóa */
	CUE_LUNAR,       /* right of a date: âm lịch */
	CUE_SHARE,       /* right of N/M: N phần M: diện tích, viên */
	CUE_COUNT,       /* right of N/M: N trên M: hộ, đại biểu */
	CUE_RATIO,       /* left of N/M: tỷ lệ */
	CUE_PART,        /* left of a small N/M: N phần M: khoảng, chiếm */
	CUE_REACHED,     /* left of N/M: N trên M: đạt, có */
	CUE_PLACE,       /* left of N/M: ngõ, số nhà; trên */
	CUE_PRESSURE,    /* left of N/M: huyết áp; trên */
	CUE_CALL,        /* near left of a short phone number: gọi */
	CUE_PHONE,       /* near left of any phone number: điện thoại */
	CUE_ACCOUNT,     /* near left: digits are said one by one: tài khoản */
	CUE_PLATE,       /* biển số */
	CUE_DOCUMENT,    /* quyết định */
	CUE_FORM,        /* mẫu, biểu: what follows is no document of an office */
	CUE_SCORE,       /* thắng, tỷ số */
	CUE_COLD,        /* somewhere in the sentence: − is a minus: nhiệt độ */
	CUE_CLOCK,       /* left of Ng: giờ: lúc, sáng */
	CUE_CLOCK_AFTER, /* right of Ng: giờ: sáng, ngày */
	CUE_ROMAN,       /* left of a Roman numeral: khóa, thế kỷ */
	CUE_ORDINAL,     /* thứ: 1 is nhất, 4 is tư */
	CUE_LETTER,      /* left: a single capital is a letter: lớp, vitamin */
	CUE_PER,         /* right of "/": một …: người, tháng */
	CUE_THOUSANDS,   /* right of 1,250: thousands: đồng, người */
	CUE_LABEL,       /* left of a number that is a name: thôn, số */
	CUE_VERSION,     /* left of 1.0: chấm */
	CUE_AMPERE,      /* left of NA: ampe */
	CUE_MONEY,       /* left of Nk, Ntr: …đồng: giá, phí */
	CUE_HEALTH,      /* left of 5K */
	CUE_WEEK,        /* left of T2…T7: thứ */
	CUE_WEIGHT,      /* left of Nt: tấn */
	CUE_FROM,        /* từ: before A - B: đến */
	CUE_LENGTH,      /* left of 1m2: one metre twenty: sâu, dài */
	CUE_DECIMAL,     /* left of 1,5: no list, though a label: hệ số */
	CUE_AGE,         /* left of Nt: tuổi: trẻ */
	CUE_SCREEN,      /* left of N": inches: màn hình */
	CUE_FEAST,       /* left of D-M, a holiday: lễ, chào mừng */
};
#define CUE_BIT(cue) (UINT64_C(1) << (cue))

struct token {
	enum token_kind kind;
	enum said said;       /* TOKEN_SAID */
	bool blank;           /* a blank stands before it */
	bool caps;            /* TOKEN_WORD: two or more letters, all capitals */
	bool capital;         /* TOKEN_WORD: the first letter is one */
	bool shouted;         /* most words of its line are in capitals */
	bool roman;           /* TOKEN_NUMBER: was written as a Roman numeral */
	bool negative;        /* TOKEN_NUMBER */
	bool grouped;         /* TOKEN_NUMBER: written in groups of three */
	bool slow;            /* TOKEN_SAID */
	bool paragraph;       /* TOKEN_LINE: more than one */
	bool first;           /* of its line */
	uint32_t sign;        /* TOKEN_SIGN: the character, its variants folded into one */
	uint32_t from, to;    /* bytes of the clean text */
	uint64_t begins;      /* cues of the phrases that begin here */
	uint64_t ends;        /* cues of the phrases that end here */
	const char *key;      /* TOKEN_WORD: in lower case, tone on the first vowel (hóa);
			        TOKEN_NUMBER: the digits before the comma; else "" */
	const char *fraction; /* TOKEN_NUMBER: the digits after the comma, or NULL */
	const char *spoken; /* TOKEN_SAID: words, and "," ";" "." as words for pauses; may be "" */
};

struct tokens {
	struct token *list;
	size_t count, capacity;
};

struct arena_block;

struct passage { /* a text under way */
	const char *text;
	size_t length;
	char *lower; /* the text in lower case, byte by byte */
	const struct normalise_config *config;
	struct arena_block *arena;
	struct normalised *result; /* the facts and warnings so far */
	size_t warnings_capacity, dates_capacity, amounts_capacity;
};

void tokens_done(struct tokens *tokens);
void tokens_add(struct tokens *tokens, const struct token *token);
/* Cuts the clean text. Its cues are set. */
void token_cut(struct passage *passage, struct tokens *tokens);

/* A copy that lives as long as the passage. */
char *passage_keep(struct passage *passage, const char *text, size_t length);
void passage_warn(
	struct passage *passage, enum normalise_warning_kind kind, size_t from, size_t to);
void passage_done(struct passage *passage);

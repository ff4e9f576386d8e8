/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/chimes/score.h"

#include "base/cleanup.h"

#include <math.h>

/* Ngũ cung, điệu Bắc: hò xự xang xê cống, and an octave higher liu ú xáng xế cóng; hò is C5, so that
 * even the lowest fundamental is one that a horn reproduces. */
enum degree {
	CONG_THAP = -1,
	HO,
	XU,
	XANG,
	XE,
	CONG,
	LIU,
	U,
	XANG_CAO,
	XE_CAO,
	CONG_CAO,
};

#define HO_SEMITONES 3 /* above A4 */
#define A4_HZ        440.0

/* Twelve equal semitones (ISO 16). */
static double hz_of(enum degree degree)
{
	static const int semitones[] = { 0, 2, 5, 7, 9 };
	const int size = countof(semitones);
	int step = (int)degree + size; /* from an octave below hò */
	int above_a4 = HO_SEMITONES + 12 * (step / size - 1) + semitones[step % size];

	return A4_HZ * pow(2.0, above_a4 / 12.0);
}

struct note {
	double beat;
	enum degree degree;
	double level;
	double bend_cents;
	double vibrato_cents;
};

struct part {
	const struct instrument *instrument;
	double at_s, beat_s;
	double level;
	const struct note *notes;
	size_t count;
};

#define NOTES(notes) (notes), countof(notes)

static void play(const struct part *part, struct sound *sound)
{
	for (size_t i = 0; i < part->count; i++) {
		const struct note *note = &part->notes[i];
		struct tone tone = {
			.at_s = part->at_s + note->beat * part->beat_s,
			.hz = hz_of(note->degree),
			.level = part->level * note->level,
			.bend_cents = note->bend_cents,
			.vibrato_cents = note->vibrato_cents,
		};
		instrument_play(part->instrument, &tone, sound);
	}
}

static void play_all(const struct part *parts, size_t count, struct sound *sound)
{
	for (size_t i = 0; i < count; i++)
		play(&parts[i], sound);
}

/* Opening and closing are one call and its mirror, on bell and zither in unison. */
static const struct note opening[] = {
	{ 0, HO, 0.85, 0, 0 },
	{ 1, XANG, 0.85, 0, 0 },
	{ 2, XE, 0.90, 0, 0 },
	{ 3, LIU, 1.00, 0, 0 },
};

static const struct note closing[] = {
	{ 0, LIU, 0.85, 0, 0 },
	{ 1, XE, 0.85, 0, 0 },
	{ 2, XANG, 0.90, 0, 0 },
	{ 3, HO, 1.00, 0, 0 },
};

static void perform_thong_bao(struct sound *sound)
{
	static const struct part parts[] = {
		{ &bell, 0.0, 0.34, 0.6, NOTES(opening) },
		{ &zither, 0.0, 0.34, 0.5, NOTES(opening) },
	};

	play_all(parts, countof(parts), sound);
}

static void perform_het(struct sound *sound)
{
	static const struct part parts[] = {
		{ &bell, 0.0, 0.30, 0.6, NOTES(closing) },
		{ &zither, 0.0, 0.30, 0.5, NOTES(closing) },
	};

	play_all(parts, countof(parts), sound);
}

/* The station's signature: an "á" (the hand runs over the strings), a call with its answer, a
 * chord to end with. */
static const struct note signature_run[] = {
	{ 0, HO, 0.40, 0, 0 },
	{ 1, XU, 0.45, 0, 0 },
	{ 2, XANG, 0.50, 0, 0 },
	{ 3, XE, 0.55, 0, 0 },
	{ 4, CONG, 0.60, 0, 0 },
};

static const struct note signature_melody[] = {
	{ 0, LIU, 1.00, 0, 12 },
	{ 3, CONG, 0.75, 0, 0 },
	{ 4, XE, 0.80, 0, 0 },
	{ 5, CONG, 0.75, 0, 0 },
	{ 6, LIU, 0.95, -180, 14 },
	{ 8, U, 0.95, -180, 12 },
	{ 9, LIU, 0.75, 0, 0 },
	{ 10, CONG, 0.80, 0, 0 },
	{ 11, XE, 0.75, 0, 0 },
	{ 12, XANG, 0.90, 0, 10 },
	{ 13.5, XE, 0.70, 0, 0 },
	{ 14, CONG, 0.85, -180, 10 },
	{ 15, U, 0.75, 0, 0 },
	{ 16, LIU, 1.00, 0, 12 },
};

static const struct note signature_ground[] = {
	{ 0, HO, 0.70, 0, 0 },
	{ 4, XANG, 0.60, 0, 0 },
	{ 6, HO, 0.60, 0, 0 },
	{ 8, XE, 0.65, 0, 0 },
	{ 12, CONG_THAP, 0.60, 0, 0 },
	{ 14, XANG, 0.60, 0, 0 },
	{ 16, HO, 0.80, 0, 0 },
	{ 16.25, XE, 0.65, 0, 0 },
};

static const struct note signature_bells[] = {
	{ 0, LIU, 0.60, 0, 0 },
	{ 8, U, 0.50, 0, 0 },
	{ 16, LIU, 0.80, 0, 0 },
	{ 16.5, XE_CAO, 0.45, 0, 0 },
};

static void perform_nhac_hieu(struct sound *sound)
{
	static const struct part parts[] = {
		{ &zither, 0.00, 0.06, 0.8, NOTES(signature_run) },
		{ &zither, 0.30, 0.29, 0.8, NOTES(signature_melody) },
		{ &zither, 0.30, 0.29, 0.6, NOTES(signature_ground) },
		{ &bell, 0.30, 0.29, 0.5, NOTES(signature_bells) },
	};

	play_all(parts, countof(parts), sound);
}

/* The bed, twelve bars of four beats, played softly. The last bar rests, and the first begins half a beat late, so that
 * the loop comes round in a breath. */
static const struct note bed_melody[] = {
	{ 0.5, XE, 0.60, 0, 0 },
	{ 1.5, CONG, 0.60, 0, 0 },
	{ 2.5, LIU, 0.70, -100, 10 },
	{ 4.5, CONG, 0.60, 0, 0 },
	{ 5.5, XE, 0.60, 0, 0 },
	{ 6.5, XANG, 0.70, 0, 10 },
	{ 8.5, XU, 0.60, 0, 0 },
	{ 9.5, XANG, 0.60, 0, 0 },
	{ 10.5, XE, 0.70, 0, 10 },
	{ 12.5, XANG, 0.60, 0, 0 },
	{ 13.5, XU, 0.60, 0, 0 },
	{ 14.5, HO, 0.75, 0, 10 },
	{ 16.5, XE, 0.60, 0, 0 },
	{ 17.5, LIU, 0.65, 0, 0 },
	{ 18.5, U, 0.65, -100, 10 },
	{ 20.5, LIU, 0.60, 0, 0 },
	{ 21.5, CONG, 0.60, 0, 0 },
	{ 22.5, XE, 0.70, 0, 10 },
	{ 24.5, XANG, 0.60, 0, 0 },
	{ 25.5, XE, 0.60, 0, 0 },
	{ 26.5, CONG, 0.70, -100, 10 },
	{ 28.5, XE, 0.60, 0, 0 },
	{ 29.5, XANG, 0.60, 0, 0 },
	{ 30.5, XU, 0.70, 0, 10 },
	{ 32.5, CONG, 0.60, 0, 0 },
	{ 33.5, LIU, 0.60, 0, 0 },
	{ 34.5, CONG, 0.65, 0, 10 },
	{ 36.5, XE, 0.60, 0, 0 },
	{ 37.5, XANG, 0.60, 0, 0 },
	{ 38.5, XU, 0.65, 0, 10 },
	{ 40.5, XANG, 0.60, 0, 0 },
	{ 41.5, XU, 0.60, 0, 0 },
	{ 42.5, HO, 0.75, 0, 10 },
};

static const struct note bed_ground[] = {
	{ 0.5, HO, 0.60, 0, 0 },
	{ 4, CONG_THAP, 0.60, 0, 0 },
	{ 8, XANG, 0.55, 0, 0 },
	{ 12, HO, 0.60, 0, 0 },
	{ 16, HO, 0.60, 0, 0 },
	{ 20, CONG_THAP, 0.60, 0, 0 },
	{ 24, XANG, 0.55, 0, 0 },
	{ 28, CONG_THAP, 0.60, 0, 0 },
	{ 32, XANG, 0.55, 0, 0 },
	{ 36, HO, 0.60, 0, 0 },
	{ 40, CONG_THAP, 0.60, 0, 0 },
	{ 42, XE, 0.40, 0, 0 },
	{ 44, XE, 0.30, 0, 0 },
};

static void perform_nhac_nen(struct sound *sound)
{
	static const struct part parts[] = {
		{ &soft_zither, 0.0, 0.5, 0.7, NOTES(bed_melody) },
		{ &soft_zither, 0.0, 0.5, 0.6, NOTES(bed_ground) },
	};

	play_all(parts, countof(parts), sound);
}

/* Trống ngũ liên, the five strokes by which villages called people to a breaking dyke: four in turn
 * on two tones a fourth apart, the fifth rising; three times. Reedy, between 500 Hz and 2.5 kHz as
 * ISO 7731 asks of danger signals, and rough, as screams are (Arnal et al., Human Screams Occupy a
 * Privileged Niche in the Communication Soundscape, Current Biology 25, 2015). Nothing else that we
 * play is like it. */
#define GROUP_S     1.0
#define ROUGH_HZ    70.0
#define ROUGH_DEPTH 0.5
#define EDGE_S      0.008

static const struct stroke {
	double at_s, seconds, from_hz, to_hz;
} strokes[] = {
	{ 0.00, 0.13, 720, 720 },
	{ 0.14, 0.13, 960, 960 },
	{ 0.28, 0.13, 720, 720 },
	{ 0.42, 0.13, 960, 960 },
	{ 0.56, 0.36, 720, 1280 },
};

/* Odd and even harmonics, each of which is gone when it comes to PARTIAL_MAX_HZ. */
static double reed(double hz, double phase)
{
	static const double harmonics[] = { 1.0, 0.55, 0.40, 0.20 };
	const double taper_hz = 500.0;
	double sum = 0.0;

	for (size_t h = 0; h < countof(harmonics); h++) {
		double n = (double)(h + 1);
		double room = fmin(fmax((PARTIAL_MAX_HZ - n * hz) / taper_hz, 0.0), 1.0);
		sum += harmonics[h] * room * sin(n * phase);
	}
	return sum;
}

static void play_stroke(const struct stroke *stroke, double at_s, struct sound *sound)
{
	size_t from = (size_t)lrint((at_s + stroke->at_s) * RATE_HZ);
	size_t length = (size_t)lrint(stroke->seconds * RATE_HZ);
	double phase = 0.0;

	for (size_t i = 0; i < length; i++) {
		double t = (double)i / RATE_HZ;
		double edge = fmin(fmin(t, stroke->seconds - t) / EDGE_S, 1.0);
		double hz = stroke->from_hz +
			    (stroke->to_hz - stroke->from_hz) * t / stroke->seconds;
		double rough = 1.0 - ROUGH_DEPTH * (0.5 - 0.5 * cos(2.0 * M_PI * ROUGH_HZ * t));
		sound->frames[from + i] += rough * (0.5 - 0.5 * cos(M_PI * edge)) * reed(hz, phase);
		phase += 2.0 * M_PI * hz / RATE_HZ;
	}
}

static void perform_khan_cap(struct sound *sound)
{
	for (size_t group = 0; group < 3; group++)
		for (size_t i = 0; i < countof(strokes); i++)
			play_stroke(&strokes[i], (double)group * GROUP_S, sound);
}

const struct score scores[] = {
	{ "thong-bao", 2.8, false, 0.25, perform_thong_bao },
	{ "het", 2.6, false, 0.25, perform_het },
	{ "khan-cap", 3.0, false, 0.0, perform_khan_cap },
	{ "nhac-hieu", 7.4, false, 0.30, perform_nhac_hieu },
	{ "nhac-nen", 24.0, true, 0.35, perform_nhac_nen },
};
const size_t scores_count = countof(scores);

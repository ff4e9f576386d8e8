/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/schema.h"

#include "audio/chain.h"
#include "base/log.h"
#include "base/nearest.h"
#include "conf/config.h"
#include "scheduler/announcement.h"
#include "scheduler/queue.h"
#include <stdint.h>
#include <string.h>

#define SCHEMA_KEYS_MAX 32 /* of one table */
#define PATH_BYTES_MAX  4095

static const char *const clock_trusts[] = { "sane", "synchronised", NULL };
static const char *const log_levels[] = { "error", "warning", "notice", "info", "debug", NULL };

#define TLS(member) offsetof(struct config, mqtt.member)
static const struct schema_key tls_keys[] = {
	{ "ca_file", SCHEMA_STRING, TLS(ca_file), .maximum = PATH_BYTES_MAX, .fallback = "\"\"",
		.description = "chứng chỉ CA để kiểm tra broker; để trống: không dùng TLS" },
	{ "cert_file", SCHEMA_STRING, TLS(cert_file), .maximum = PATH_BYTES_MAX, .fallback = "\"\"",
		.description = "chứng chỉ của máy này, nếu broker đòi; đi cùng `key_file`" },
	{ "key_file", SCHEMA_STRING, TLS(key_file), .maximum = PATH_BYTES_MAX, .fallback = "\"\"",
		.description = "khóa riêng của chứng chỉ đó" },
	{ 0 },
};

#define MQTT(member) offsetof(struct config, mqtt.member)
static const struct schema_key mqtt_keys[] = {
	{ "host", SCHEMA_STRING, MQTT(host), .minimum = 1, .maximum = 255,
		.fallback = "\"127.0.0.1\"", .description = "máy chạy broker MQTT" },
	{ "port", SCHEMA_INTEGER, MQTT(port), .minimum = 1, .maximum = 65535, .fallback = "1883",
		.description = "cổng của broker" },
	{ "username", SCHEMA_STRING, MQTT(username), .maximum = 255, .fallback = "\"\"",
		.description = "tên đăng nhập broker; để trống: không đăng nhập" },
	{ "password_file", SCHEMA_STRING, MQTT(password_file), .maximum = PATH_BYTES_MAX,
		.fallback = "\"\"", .description = "tệp có mật khẩu ở dòng đầu" },
	{ "client_id", SCHEMA_STRING, MQTT(client_id), .maximum = 128, .fallback = "\"\"",
		.description = "mã MQTT của máy; để trống: `loalang-<node>`" },
	{ "tls", SCHEMA_GROUP, .keys = tls_keys, .description = "kết nối mã hóa tới broker" },
	{ "keepalive", SCHEMA_DURATION, MQTT(keepalive_us), .minimum = 5, .maximum = 3600,
		.fallback = "\"30s\"",
		.description = "nhịp giữ kết nối; mất mạng được nhận ra sau 1,5 nhịp" },
	{ 0 },
};

#define GAIN(member) offsetof(struct hours_gain, member)
static const struct schema_key gain_keys[] = {
	{ "hours", SCHEMA_HOURS, GAIN(hours), .required = true,
		.description = "từ mấy giờ đến mấy giờ; qua nửa đêm cũng được" },
	{ "gain_db", SCHEMA_REAL, GAIN(gain_db), .minimum = -60, .maximum = 20, .required = true,
		.description = "mức âm lượng trong khung giờ đó, dB" },
	{ 0 },
};

#define OUTPUT(member) offsetof(struct config_output, member)
static const struct schema_key limits_keys[] = {
	{ "item_minutes", SCHEMA_INTEGER, OUTPUT(limits.item_minutes), .minimum = 1, .maximum = 600,
		.fallback = "45",
		.description = "một bản tin dài nhất chừng này phút, tính cả nhắc lại" },
	{ "day_minutes", SCHEMA_INTEGER, OUTPUT(limits.day_minutes), .maximum = MINUTES_PER_DAY,
		.fallback = "0",
		.description = "mỗi ngày phát nhiều nhất chừng này phút; 0: không hạn chế" },
	{ "sessions_per_day", SCHEMA_INTEGER, OUTPUT(limits.sessions_per_day), .maximum = 100,
		.fallback = "0",
		.description = "mỗi ngày phát nhiều nhất chừng này buổi (các bản tin cách nhau "
			       "chưa đến 5 phút là một buổi); 0: không hạn chế" },
	{ 0 },
};

static const struct schema_key output_keys[] = {
	{ "name", SCHEMA_NAME, OUTPUT(sound.name), .required = true, .description = "tên của loa" },
	{ "device", SCHEMA_STRING, OUTPUT(sound.device), .minimum = 1, .maximum = PATH_BYTES_MAX,
		.required = true,
		.description = "thiết bị ALSA, hoặc `wav:ĐƯỜNG-DẪN` để ghi ra tệp" },
	{ "channels", SCHEMA_CHANNELS, OUTPUT(sound.channel_mask), .minimum = 0,
		.maximum = OUTPUT_CHANNELS_MAX - 1, .fallback = "[0]",
		.description = "các kênh của thiết bị nối vào âm ly này, đếm từ 0" },
	{ "zones", SCHEMA_NAMES, OUTPUT(zones), .count_offset = OUTPUT(zones_count),
		.maximum = CONFIG_ZONES_MAX, .fallback = "[]",
		.description = "các khu vực loa này thuộc về, ngoài `all` là mọi loa" },
	{ "gain_db", SCHEMA_REAL, OUTPUT(sound.gain_db), .minimum = -60, .maximum = 20,
		.fallback = "0.0", .description = "mức âm lượng, dB" },
	{ "delay_ms", SCHEMA_MS, OUTPUT(sound.delay_us), .maximum = 10000, .fallback = "0",
		.description = "phát chậm hơn các loa khác, để bù khoảng cách giữa các cột" },
	{ "preroll", SCHEMA_DURATION, OUTPUT(sound.preroll_us), .maximum = 10,
		.fallback = "\"300ms\"",
		.description = "khoảng lặng đánh thức âm ly trước tiếng đầu tiên" },
	{ "sound", SCHEMA_CHOICE, OUTPUT(sound.preset), .fallback = "\"horn\"",
		.choices = chain_preset_names,
		.description = "loa nén (`horn`), loa cột hay thùng (`column`), hay chỉ chỉnh cho "
			       "đều tiếng (`flat`)" },
	{ "join", SCHEMA_CHOICE, OUTPUT(join), .fallback = "\"whole\"", .choices = queue_join_names,
		.description =
			"khi loa trở lại giữa lúc các loa khác đang phát (mất điện, mất mạng, "
			"rút dây): `whole`, phát lại từ đầu hay từ câu dở; `place`, vào đúng "
			"chỗ, cùng nhịp; `next`, chờ bản tin sau; tin khẩn cấp luôn phát đủ" },
	{ "quiet_hours", SCHEMA_DAY, OUTPUT(quiet), .maximum = HOURS_MAX, .fallback = "[]",
		.description = "giờ yên tĩnh: không phát gì, trừ bản tin khẩn cấp" },
	{ "gain_by_hour", SCHEMA_ARRAY, OUTPUT(gains.list), OUTPUT(gains.count),
		sizeof(struct hours_gain), .maximum = HOURS_MAX, .fallback = "()",
		.keys = gain_keys,
		.description = "mức âm lượng theo giờ, thay cho `gain_db`; không chồng lên nhau" },
	{ "limits", SCHEMA_GROUP, .keys = limits_keys,
		.description = "hạn mức của loa; bản tin khẩn cấp không bị hạn chế" },
	{ 0 },
};

#define ENGINE(member) offsetof(struct engine_config, member)
static const struct schema_key engine_keys[] = {
	{ "name", SCHEMA_NAME, ENGINE(name), .required = true, .description = "tên của bộ đọc" },
	{ "command", SCHEMA_STRINGS, ENGINE(command), .minimum = 1, .maximum = 32,
		.description = "chương trình đọc và các tham số (giao thức Wyoming)" },
	{ "address", SCHEMA_ADDRESS, ENGINE(address), .maximum = 300,
		.description = "hoặc máy chủ đọc (Wyoming): `tcp://máy:cổng`" },
	{ "voice", SCHEMA_STRING, ENGINE(voice), .maximum = 128, .fallback = "\"\"",
		.description = "giọng, theo tên của bộ đọc; để trống: giọng mặc định của nó" },
	{ 0 },
};

#define SPEECH(member) offsetof(struct config, speech.member)
static const struct schema_key speech_keys[] = {
	{ "engines", SCHEMA_GROUPS, SPEECH(engines), SPEECH(engines_count),
		sizeof(struct engine_config), .minimum = 1, .maximum = CONFIG_ENGINES_MAX,
		.fallback = "({ name = \"espeak-ng\"; command = [\"loalang-synth\"]; "
			    "voice = \"vi\"; })",
		.keys = engine_keys, .description = "các bộ đọc, được thử theo thứ tự" },
	{ "rate", SCHEMA_INTEGER, SPEECH(rate), .minimum = 80, .maximum = 300, .fallback = "130",
		.description = "tốc độ đọc, từ mỗi phút" },
	{ "pitch", SCHEMA_INTEGER, SPEECH(pitch), .minimum = 0, .maximum = 99, .fallback = "45",
		.description = "độ cao của giọng" },
	{ "sentence_pause", SCHEMA_DURATION, SPEECH(sentence_pause_us), .maximum = 10,
		.fallback = "\"450ms\"",
		.description = "khoảng nghỉ giữa hai câu, ở tốc độ 130; đọc nhanh thì nghỉ ngắn" },
	{ "lexicon", SCHEMA_STRING, SPEECH(lexicon_path), .maximum = PATH_BYTES_MAX,
		.description = "từ điển cách đọc của xã (xem docs/VIETNAMESE.md); không ghi: "
			       "`" LEXICON_FILE_DEFAULT "` nếu có; `\"\"`: không dùng" },
	{ 0 },
};

/* Chimes by priority: the defaults belong to the priority, so each has a table of its own. */
#define CHIME(priority, member) offsetof(struct config, chimes.by_priority[priority].member)
#define CHIME_KEYS(priority, open_, close_, bed_)                                              \
	{                                                                                      \
		{ "open", SCHEMA_CHIME, CHIME(priority, open), .fallback = (open_),            \
			.description = "nhạc hiệu mở đầu" },                                   \
			{ "close", SCHEMA_CHIME, CHIME(priority, close), .fallback = (close_), \
				.description = "nhạc hiệu kết thúc" },                         \
			{ "bed", SCHEMA_CHIME, CHIME(priority, bed), .fallback = (bed_),       \
				.description = "nhạc nền dưới lời đọc" },                      \
			{ 0 },                                                                 \
	}
static const struct schema_key background_keys[] = CHIME_KEYS(
	PRIORITY_BACKGROUND, "\"none\"", "\"none\"", "\"none\"");
static const struct schema_key normal_keys[] = CHIME_KEYS(
	PRIORITY_NORMAL, "\"thong-bao\"", "\"het\"", "\"none\"");
static const struct schema_key priority_keys[] = CHIME_KEYS(
	PRIORITY_PRIORITY, "\"thong-bao\"", "\"het\"", "\"none\"");
static const struct schema_key emergency_keys[] = CHIME_KEYS(
	PRIORITY_EMERGENCY, "\"khan-cap\"", "\"none\"", "\"none\"");

static const struct schema_key chimes_keys[] = {
	{ "dir", SCHEMA_STRING, offsetof(struct config, chimes.dir), .minimum = 1,
		.maximum = PATH_BYTES_MAX,
		.description = "thư mục nhạc hiệu; không ghi: thư mục đi kèm chương trình" },
	{ "background", SCHEMA_GROUP, .keys = background_keys,
		.description = "của bản tin nền (`background`)" },
	{ "normal", SCHEMA_GROUP, .keys = normal_keys,
		.description = "của bản tin thông thường (`normal`)" },
	{ "priority", SCHEMA_GROUP, .keys = priority_keys,
		.description = "của bản tin ưu tiên (`priority`)" },
	{ "emergency", SCHEMA_GROUP, .keys = emergency_keys,
		.description = "của bản tin khẩn cấp (`emergency`)" },
	{ 0 },
};

#define ROOT(member) offsetof(struct config, member)
const struct schema_key schema_root[] = {
	{ "site", SCHEMA_NAME, ROOT(site), .required = true,
		.description = "tên xã, gốc của mọi chủ đề MQTT: `loalang/<site>/…`" },
	{ "node", SCHEMA_NAME, ROOT(node), .required = true,
		.description = "tên của máy này, không trùng với máy khác của xã" },
	{ "timezone", SCHEMA_TIMEZONE, ROOT(timezone), .minimum = 1, .maximum = 64,
		.fallback = "\"Asia/Ho_Chi_Minh\"", .description = "múi giờ" },
	{ "state_dir", SCHEMA_STRING, ROOT(state_dir), .minimum = 1, .maximum = PATH_BYTES_MAX,
		.fallback = "\"/var/lib/loalang\"",
		.description = "thư mục của hàng đợi và biên nhận" },
	{ "mqtt", SCHEMA_GROUP, .keys = mqtt_keys, .description = "broker MQTT" },
	{ "outputs", SCHEMA_GROUPS, ROOT(outputs), ROOT(outputs_count),
		sizeof(struct config_output), .minimum = 1, .maximum = CONFIG_OUTPUTS_MAX,
		.required = true, .keys = output_keys, .description = "các loa của máy này" },
	{ "speech", SCHEMA_GROUP, .keys = speech_keys, .description = "giọng đọc" },
	{ "chimes", SCHEMA_GROUP, .keys = chimes_keys,
		.description = "nhạc hiệu, theo mức ưu tiên; `\"none\"`: không có" },
	{ "sync_lead", SCHEMA_DURATION, ROOT(sync_lead_us), .maximum = 60, .fallback = "\"1500ms\"",
		.description = "bản tin phát ngay bắt đầu sau lúc gửi chừng này, để các loa cùng "
			       "cất tiếng" },
	{ "gap", SCHEMA_DURATION, ROOT(gap_us), .maximum = 300, .fallback = "\"2s\"",
		.description = "khoảng lặng giữa hai bản tin" },
	{ "late", SCHEMA_DURATION, ROOT(late_us), .maximum = 86400, .fallback = "\"120s\"",
		.description =
			"buổi phát theo lịch bị lỡ (máy tắt, sai giờ) quá chừng này thì thôi; "
			"lịch nào ghi `late` riêng thì theo lịch ấy" },
	{ "clock_trust", SCHEMA_EITHER, ROOT(clock_synchronised), .fallback = "\"sane\"",
		.choices = clock_trusts,
		.description =
			"khi nào tin đồng hồ của máy: `sane`, khi nó không lùi lại trước lần "
			"chạy trước; `synchronised`, chỉ khi hệ điều hành báo đã đồng bộ (NTP)" },
	{ "history", SCHEMA_DURATION, ROOT(history_us), .minimum = 86400, .maximum = 3650 * 86400.0,
		.fallback = "\"400d\"", .description = "lịch sử phát được giữ chừng này" },
	{ "log_level", SCHEMA_CHOICE, ROOT(log_level), .fallback = "\"info\"",
		.choices = log_levels, .description = "mức chi tiết của nhật ký" },
	{ 0 },
};

size_t schema_count(const struct schema_key *keys)
{
	size_t count = 0;

	while (keys[count].key)
		count++;
	return count;
}

const struct schema_key *schema_find(const struct schema_key *keys, const char *key)
{
	for (; keys->key; keys++) {
		if (strcmp(keys->key, key) == 0)
			return keys;
	}
	return NULL;
}

const char *schema_nearest(const struct schema_key *keys, const char *key)
{
	const char *names[SCHEMA_KEYS_MAX];
	size_t count = 0;

	for (; keys->key && count < countof(names); keys++)
		names[count++] = keys->key;
	return nearest(key, names, count);
}

static void release_strings(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

static void release_elements(const struct schema_key *key, char *elements, const char *target)
{
	size_t count = *(const size_t *)(target + key->count_offset);

	for (size_t i = 0; i < count; i++)
		schema_release(key->keys, elements + i * key->element_size);
}

/* Recursion over our own tables, three deep. */
static void release_key(const struct schema_key *key, char *target)
{
	char *member = target + key->offset;

	switch (key->type) {
	case SCHEMA_STRING:
	case SCHEMA_NAME:
	case SCHEMA_CHIME:
	case SCHEMA_TIMEZONE:
	case SCHEMA_CHOICE:
	case SCHEMA_ADDRESS:
		free(*(char **)member);
		return;
	case SCHEMA_STRINGS:
	case SCHEMA_NAMES:
		release_strings(*(char ***)member);
		return;
	case SCHEMA_GROUP:
		/* The members of a group have offsets in the same struct. */
		schema_release(key->keys, target);
		return;
	case SCHEMA_GROUPS:
		release_elements(key, *(char **)member, target);
		free(*(char **)member);
		return;
	case SCHEMA_ARRAY:
		release_elements(key, member, target);
		return;
	case SCHEMA_EITHER:
	case SCHEMA_HOURS:
	case SCHEMA_DAY:
	case SCHEMA_INTEGER:
	case SCHEMA_REAL:
	case SCHEMA_DURATION:
	case SCHEMA_MS:
	case SCHEMA_CHANNELS:
		return;
	}
}

void schema_release(const struct schema_key *keys, void *target)
{
	for (; keys->key; keys++)
		release_key(keys, target);
}

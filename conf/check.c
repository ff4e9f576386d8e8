/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/check.h"

#include "base/strbuf.h"

#include <string.h>

/* Keys that could not be read are NULL or zero here: they have their own finding already. */

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static void add_about(struct findings *findings, const char *list, size_t index, const char *key,
	const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "%s[%zu].%s", list, index, key);
	findings_add(findings, path, "%s", text);
}

static void check_output_names(const struct config *config, size_t index, struct findings *findings)
{
	const char *name = config->outputs[index].sound.name;

	for (size_t i = 0; i < index; i++) {
		if (!same(config->outputs[i].sound.name, name))
			continue;
		_cleanup_(freep) char *text = xasprintf("trùng tên “%s” với outputs[%zu]", name, i);
		add_about(findings, "outputs", index, "name", text);
		return;
	}
}

static bool is_unread(const struct hours *hours)
{
	return hours->from_minute == hours->to_minute;
}

/* Two outputs may share a device, never a channel of it: one amplifier, one line. */
static void check_output_channels(
	const struct config *config, size_t index, struct findings *findings)
{
	const struct output_config *output = &config->outputs[index].sound;

	for (size_t i = 0; i < index; i++) {
		const struct output_config *other = &config->outputs[i].sound;
		uint32_t both = output->channel_mask & other->channel_mask;
		if (both == 0 || !same(output->device, other->device))
			continue;
		_cleanup_(freep) char *text = xasprintf(
			"kênh %d của thiết bị “%.200s” đã thuộc về outputs[%zu] (“%s”)",
			__builtin_ctz(both), output->device, i, other->name ? other->name : "?");
		add_about(findings, "outputs", index, "channels", text);
		return;
	}
}

/* Two gains for one hour: which one was meant? (Quiet hours may overlap: quiet is quiet.) */
static void check_output_gains(const struct config *config, size_t index, struct findings *findings)
{
	const struct hours_gains *gains = &config->outputs[index].gains;

	for (size_t i = 1; i < gains->count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct hours *one = &gains->list[i].hours;
			const struct hours *other = &gains->list[j].hours;
			if (is_unread(one) || is_unread(other) || !hours_overlap(one, other))
				continue;
			char path[80];
			snprintf(path, sizeof(path), "outputs[%zu].gain_by_hour[%zu].hours", index,
				i);
			findings_add(findings, path, "chồng lên giờ của gain_by_hour[%zu]", j);
			break;
		}
	}
}

static void check_engine_name(const struct config *config, size_t index, struct findings *findings)
{
	const struct engine_config *engine = &config->speech.engines[index];

	for (size_t i = 0; i < index; i++) {
		if (!same(config->speech.engines[i].name, engine->name))
			continue;
		_cleanup_(freep) char *text = xasprintf(
			"trùng tên “%s” với speech.engines[%zu]", engine->name, i);
		add_about(findings, "speech.engines", index, "name", text);
	}
}

static bool has(struct findings *findings, size_t engine, const char *key, const void *value)
{
	char path[64];

	snprintf(path, sizeof(path), "speech.engines[%zu].%s", engine, key);
	return value || findings->present(findings->context, path);
}

/* An engine is either a program or a server. */
static void check_engine_kind(const struct config *config, size_t index, struct findings *findings)
{
	const struct engine_config *engine = &config->speech.engines[index];
	bool command = has(findings, index, "command", (const void *)engine->command);
	bool address = has(findings, index, "address", engine->address);
	char path[64];

	snprintf(path, sizeof(path), "speech.engines[%zu]", index);
	if (!command && !address)
		findings_add(findings, path, "thiếu `command` hoặc `address`");
	if (command && address)
		findings_add(findings, path, "chỉ được có một trong `command` và `address`");
}

static void check_tls(const struct broker_config *mqtt, struct findings *findings)
{
	bool ca = mqtt->ca_file && *mqtt->ca_file;
	bool cert = mqtt->cert_file && *mqtt->cert_file;
	bool key = mqtt->key_file && *mqtt->key_file;

	if (cert && !key)
		findings_add(findings, "mqtt.tls.cert_file", "cần có cả `key_file`");
	if (key && !cert)
		findings_add(findings, "mqtt.tls.key_file", "cần có cả `cert_file`");
	if ((cert || key) && !ca)
		findings_add(findings, "mqtt.tls", "cần có `ca_file` thì mới dùng TLS");
	if (mqtt->password_file && *mqtt->password_file && mqtt->username && !*mqtt->username)
		findings_add(findings, "mqtt.password_file", "cần có cả `username`");
}

void check_config(const struct config *config, struct findings *findings)
{
	for (size_t i = 0; i < config->outputs_count; i++) {
		check_output_names(config, i, findings);
		check_output_channels(config, i, findings);
		check_output_gains(config, i, findings);
	}
	for (size_t i = 0; i < config->speech.engines_count; i++) {
		check_engine_name(config, i, findings);
		check_engine_kind(config, i, findings);
	}
	check_tls(&config->mqtt, findings);
}

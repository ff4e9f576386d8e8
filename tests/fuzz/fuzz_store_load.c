/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever lies where the store's file should be: it opens or is set aside, loads, and takes a
 * change. Run it in an empty folder of its own on a memory disk (it makes one under TMPDIR). */
#include "base/strbuf.h"
#include "scheduler/store_file.h"

#include <dirent.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_BYTES_MAX (256 * 1024)

static void check(bool holds)
{
	if (!holds)
		abort();
}

static char *make_folder(void)
{
	const char *parent = getenv("TMPDIR");
	char *folder = xasprintf("%s/loalang-fuzz-XXXXXX", parent ? parent : "/tmp");

	check(mkdtemp(folder));
	return folder;
}

static void write_file(const char *folder, const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", folder, STORE_FILE_NAME);
	_cleanup_(fclosep) FILE *stream = fopen(path, "wb");

	check(stream && fwrite(data, 1, size, stream) == size);
}

static void remove_folder(const char *folder)
{
	DIR *entries = opendir(folder);

	check(entries);
	for (struct dirent *entry; (entry = readdir(entries));) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			check(unlink(path) == 0);
	}
	closedir(entries);
	check(rmdir(folder) == 0);
}

/* Loading may find damage that opening did not see, but then says so. */
static bool load(struct store_file *file, struct error *error)
{
	struct store_event *event = xcalloc(1, sizeof *event);
	int result = store_file_load(file, event, error);

	check(result == 0 || *error->text);
	check(result < 0 || event->next_sequence >= 1);
	store_event_free(&event->link);
	return result == 0;
}

static void write_setting(struct store_file *file)
{
	char key[] = "a", value[] = "1";
	const struct store_change change = { .kind = STORE_PUT_SETTING, .id = key, .text = value };
	struct error error = { "" };

	if (store_file_begin(file, &error) < 0 || store_file_change(file, &change, &error) < 0 ||
		store_file_commit(file, &error) < 0)
		check(*error.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > FILE_BYTES_MAX)
		return -1;
	_cleanup_(freep) char *folder = make_folder();
	struct error error = { "" };
	struct store_file *file = NULL;

	write_file(folder, data, size);
	check(store_file_open(folder, &file, &error) == 0);
	if (load(file, &error))
		write_setting(file);
	file = store_file_close(file);
	remove_folder(folder);
	return 0;
}

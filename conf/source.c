/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/source.h"

#include "base/strbuf.h"
#include "base/utf8.h"
#include "conf/scan.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define BOM "\xef\xbb\xbf"

const char *source_skip_bom(const char *text, size_t length)
{
	size_t bom = strlen(BOM);

	return length >= bom && memcmp(text, BOM, bom) == 0 ? text + bom : text;
}

/* A regular file, or standard input for scripts; a directory and a device without end are not. */
static int open_source(const char *path, struct error *error)
{
	struct stat status;
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_set(error, -errno, "%s: không mở được: %s", path, strerror(errno));
	if (S_ISDIR(status.st_mode))
		return error_set(error, -EISDIR, "%s: là thư mục, không phải tệp cấu hình", path);
	if (!S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, "%s: không phải tệp thường", path);
	return hand_over_fd(&fd);
}

char *source_read(const char *path, size_t *ret_length, int *ret_errno, struct error *error)
{
	_cleanup_(closep) int fd = open_source(path, error);
	if (fd < 0) {
		*ret_errno = -fd;
		return NULL;
	}
	_cleanup_(freep) char *text = xcalloc(SOURCE_BYTES_MAX + 2, 1);
	size_t length = 0;
	while (length <= SOURCE_BYTES_MAX) {
		ssize_t got = read(fd, text + length, SOURCE_BYTES_MAX + 1 - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*ret_errno = errno;
			error_set(error, -errno, "%s: không đọc được: %s", path, strerror(errno));
			return NULL;
		}
		if (got == 0)
			break;
		length += (size_t)got;
	}
	if (length > SOURCE_BYTES_MAX) {
		*ret_errno = EFBIG;
		error_set(error, -EFBIG, "%s: tệp lớn hơn %d KiB", path, SOURCE_BYTES_MAX / 1024);
		return NULL;
	}
	*ret_length = length;
	return hand_over(text);
}

static int line_of(const char *text, size_t offset)
{
	int line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

int source_check(const char *text, size_t length, int *ret_line, struct error *error)
{
	size_t valid = utf8_valid_prefix(text, length);
	if (valid < length) {
		*ret_line = line_of(text, valid);
		return error_set(error, -EINVAL,
			"không phải UTF-8 (hãy lưu lại tệp với bảng mã "
			"UTF-8)");
	}
	const char *nul = memchr(text, '\0', length);
	if (nul) {
		*ret_line = line_of(text, (size_t)(nul - text));
		return error_set(error, -EINVAL, "có byte NUL");
	}
	struct scan scan;
	scan_init(&scan);
	for (size_t i = 0; i < length; i += scan.used) {
		int result = scan_step(&scan, text + i, error);
		if (result < 0) {
			*ret_line = scan.line;
			return result;
		}
	}
	if (scan.place == SCAN_STRING) {
		*ret_line = scan.line;
		return error_set(error, -EINVAL, "thiếu dấu `\"` đóng chuỗi");
	}
	return 0;
}

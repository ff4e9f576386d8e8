/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/event.h"

#include <string.h>

bool event_parse(const char *name, enum receipt_event *ret_event)
{
	for (int event = RECEIPT_ACCEPTED; event <= RECEIPT_SUPERSEDED; event++) {
		if (strcmp(receipt_event_name(event), name) == 0) {
			*ret_event = event;
			return true;
		}
	}
	return false;
}

const char *event_word(enum receipt_event event)
{
	static const char *const words[] = {
		[RECEIPT_ACCEPTED] = "đã nhận",
		[RECEIPT_REJECTED] = "từ chối",
		[RECEIPT_STARTED] = "đang phát",
		[RECEIPT_INTERRUPTED] = "tạm ngừng",
		[RECEIPT_RESUMED] = "phát tiếp",
		[RECEIPT_FINISHED] = "phát xong",
		[RECEIPT_CANCELLED] = "đã hủy",
		[RECEIPT_EXPIRED] = "hết hạn",
		[RECEIPT_FAILED] = "thất bại",
		[RECEIPT_SUPERSEDED] = "đã thay",
	};
	return words[event];
}

bool event_matters(enum receipt_event event)
{
	return receipt_event_final(event) || event == RECEIPT_INTERRUPTED ||
	       event == RECEIPT_REJECTED;
}

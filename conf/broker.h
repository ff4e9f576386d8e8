/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The broker, as configured: shared by the daemon's link (daemon/mqtt) and the commands'
 * (cli/broker). */
#pragma once

#include <stdint.h>

struct broker_config {
	char *host;
	int port;
	char *username;                       /* "": none */
	char *password_file;                  /* "": none; its first line is the password */
	char *client_id;                      /* "": loalang-<node> */
	char *ca_file, *cert_file, *key_file; /* "": no TLS / no client certificate */
	int64_t keepalive_us;                 /* 5 s…1 h */
};

# SPDX-License-Identifier: GPL-3.0-or-later
loalang_unit_test(config conf base)
loalang_unit_test(config_document conf base)

# SPDX-License-Identifier: GPL-3.0-or-later
loalang_unit_test(text base)
loalang_unit_test(time base)
loalang_unit_test(json base)
loalang_unit_test(inbox base)

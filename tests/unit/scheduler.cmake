# SPDX-License-Identifier: GPL-3.0-or-later
loalang_unit_test(announcement scheduler)
loalang_unit_test(hours scheduler)
loalang_unit_test(queue scheduler)
loalang_unit_test(reason scheduler)
loalang_unit_test(receipt scheduler)
loalang_unit_test(trust scheduler)
loalang_unit_test(store scheduler)
loalang_unit_test(store_file scheduler)

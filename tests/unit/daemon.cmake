# SPDX-License-Identifier: GPL-3.0-or-later
loalang_unit_test(inhand daemon)
loalang_unit_test(ledger daemon)
loalang_unit_test(media daemon)
loalang_unit_test(mqtt daemon)
loalang_unit_test(outbox daemon)
loalang_unit_test(wire daemon)
loalang_unit_test(request daemon)
loalang_unit_test(readings daemon)

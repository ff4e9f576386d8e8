# SPDX-License-Identifier: GPL-3.0-or-later
loalang_fuzz_target(announcement scheduler)
loalang_fuzz_target(store_load scheduler)
loalang_fuzz_target(calendar scheduler)
loalang_fuzz_target(schedule scheduler)

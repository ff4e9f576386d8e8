# SPDX-License-Identifier: GPL-3.0-or-later
loalang_fuzz_target(clip audio)
loalang_fuzz_target(recording audio)

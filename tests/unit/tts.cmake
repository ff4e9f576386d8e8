# SPDX-License-Identifier: GPL-3.0-or-later
loalang_unit_test(clean tts)
loalang_unit_test(sentences tts)
loalang_unit_test(reading tts m)
add_dependencies(test_reading loalang-synth)
loalang_unit_test(rundown tts)
loalang_unit_test(wyoming wyoming)
loalang_unit_test(engine tts)
add_dependencies(test_engine loalang-synth)

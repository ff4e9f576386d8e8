# SPDX-License-Identifier: GPL-3.0-or-later
# The sound card that misbehaves on request; its parameters are described in its source.
add_library(asound_module_pcm_loatest MODULE alsa/pcm_loatest.c)
target_compile_definitions(asound_module_pcm_loatest PRIVATE PIC)
target_link_libraries(asound_module_pcm_loatest PRIVATE PkgConfig::ALSA)
set_target_properties(asound_module_pcm_loatest PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/alsa)

loalang_unit_test(programme audio)
loalang_unit_test(mix audio m)
loalang_unit_test(biquad audio m)
loalang_unit_test(compressor audio m)
loalang_unit_test(limiter audio m)
loalang_unit_test(loudness audio m)
loalang_unit_test(chain audio m)
loalang_unit_test(leveller audio m)
loalang_unit_test(clip audio PkgConfig::SNDFILE m)
loalang_unit_test(recording audio PkgConfig::SNDFILE m)
loalang_unit_test(resample audio m)
loalang_unit_test(sink_wav audio)
loalang_unit_test(pace audio m)
loalang_unit_test(stretch audio m)
loalang_unit_test(voice audio m)
loalang_unit_test(device audio)
add_dependencies(test_device asound_module_pcm_loatest)
target_compile_definitions(test_device PRIVATE
    LOATEST_LIB="$<TARGET_FILE:asound_module_pcm_loatest>")

# SPDX-License-Identifier: GPL-3.0-or-later
# Language, warnings, sanitizers. Warnings are errors in our presets, never in a packager's build.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # gnu17: cleanup attributes, pipe2, pthread_timedjoin_np

option(LOALANG_WERROR "Treat warnings as errors" OFF)
option(LOALANG_TESTS "Build the unit tests and the test tools" ON)
option(LOALANG_FUZZ "Build the libFuzzer targets (clang only)" OFF)
set(LOALANG_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them")

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -Wformat=2 -Wundef -Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough
    -fno-common -fstack-protector-strong)
if(LOALANG_WERROR)
    add_compile_options(-Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    add_compile_options(-D_FORTIFY_SOURCE=2)
endif()
if(LOALANG_SANITIZE)
    add_compile_options(-fsanitize=${LOALANG_SANITIZE} -fno-omit-frame-pointer -O1)
    add_link_options(-fsanitize=${LOALANG_SANITIZE})
    if(LOALANG_SANITIZE MATCHES "undefined")
        add_compile_options(-fno-sanitize-recover=all)
    endif()
endif()
# A library that an executable does not call is not loaded by it: memory on small boards.
add_link_options(-Wl,--as-needed)
if(LOALANG_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Includes are written from the root, so that each shows the layer it crosses.
include_directories(${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)

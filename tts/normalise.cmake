# SPDX-License-Identifier: GPL-3.0-or-later
# The normaliser: its passes, and its tables, which compile.sh makes C of.
set(tables ${CMAKE_CURRENT_SOURCE_DIR}/tables)
file(GLOB table_files CONFIGURE_DEPENDS ${tables}/*.tsv)
add_custom_command(OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/tables.c
    COMMAND sh ${tables}/compile.sh ${tables} > ${CMAKE_CURRENT_BINARY_DIR}/tables.c.new
    COMMAND ${CMAKE_COMMAND} -E rename ${CMAKE_CURRENT_BINARY_DIR}/tables.c.new
        ${CMAKE_CURRENT_BINARY_DIR}/tables.c
    DEPENDS ${tables}/compile.sh ${table_files}
    VERBATIM)
target_sources(tts PRIVATE
    ${CMAKE_CURRENT_BINARY_DIR}/tables.c
    lexicon.c
    normalise.c
    numbers.c
    pass.c
    pass_abbreviations.c
    pass_addresses.c
    pass_codes.c
    pass_dates.c
    pass_documents.c
    pass_foreign.c
    pass_lexicon.c
    pass_numbers.c
    pass_numerals.c
    pass_phones.c
    pass_plates.c
    pass_ranges.c
    pass_repeats.c
    pass_roman.c
    pass_symbols.c
    pass_times.c
    pass_units.c
    pass_words.c
    token.c
    transcribe.c)

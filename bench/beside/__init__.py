# SPDX-License-Identifier: GPL-3.0-or-later
"""What bench/side-by-side consists of: the cards that hear, the sides that are compared, what they
cost, and the table that says so."""

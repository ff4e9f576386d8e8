# SPDX-License-Identifier: GPL-3.0-or-later
"""What end-to-end tests and benchmarks stand on: real brokers, nodes and sound devices, each with
its own folder, port and environment, so that many can run at once and as any user."""

"""Benchmarks: ratios against a named alternative, measured in one run. Never part of the tests."""

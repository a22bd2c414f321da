"""Benchmarks: what `standup bench` measures."""

"""Rewrite patterns on the graph level, grouped by concern; the passes choose which to apply, and when."""

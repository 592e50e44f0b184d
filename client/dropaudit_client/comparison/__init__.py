"""Comparisons of runs, laid out for people."""

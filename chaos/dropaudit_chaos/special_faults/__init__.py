"""Faults beyond kills, stops and cuts: clocks, deletions, watchers, disks and other versions of the code."""

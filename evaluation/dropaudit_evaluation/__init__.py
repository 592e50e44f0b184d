"""Judges the audit itself: on folders of labelled models, and by simulation."""

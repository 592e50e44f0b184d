"""Measures whether the audit's error rates are the ones that it promises."""

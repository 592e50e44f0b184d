"""Runs of suites in a worker: begun when they are due, made, concluded, told of."""

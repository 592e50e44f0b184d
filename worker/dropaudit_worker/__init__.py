"""The Celery side: makes audits, finds lost ones, runs scheduled suites."""

"""Documents in YAML: `dropaudit.yaml` for `dropaudit run`, and `suites.yaml` for a service's suites."""

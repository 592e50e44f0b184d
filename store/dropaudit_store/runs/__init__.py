"""Runs of suites: started once, resolved into members, counted while their audits end, and concluded."""

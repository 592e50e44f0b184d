"""Several files audited side by side on this machine, and one report of all of them."""

"""Display names of stored models: each has versions, and aliases that stand for one of them."""

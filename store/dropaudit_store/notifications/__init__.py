"""Where notifications may go: server and worker refuse the same targets."""

"""What a checkout needs around the product: getting a machine ready, running the suites, listing requirements."""

"""Everything the school services are made of, one folder each; no service imports another."""

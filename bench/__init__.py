"""Measurements that print ratios taken in one run, because machines differ; `make bench` runs them."""

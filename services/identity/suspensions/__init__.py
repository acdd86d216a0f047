"""Suspending a guardian with a reason and perhaps an end, letting them back, and who is suspended now (ID-11)."""

"""Answers that were promised: who waits for one, and what needs none (MSG-16)."""

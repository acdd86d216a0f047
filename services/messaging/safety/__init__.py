"""What was said about a child's safety, for those whom the school alerts (MSG-15)."""

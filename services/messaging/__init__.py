"""Messaging: threads between a family and a seat on the staff, about one child."""

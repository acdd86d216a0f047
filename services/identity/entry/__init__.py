"""Coming in outside hours or places for a reason (break glass): the one way past the school's rules of entry, and always on the record."""

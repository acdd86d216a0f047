"""The hours to which members of staff narrow the school's for themselves (POL-3)."""

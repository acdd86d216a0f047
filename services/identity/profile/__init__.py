"""What a member sees and changes about themselves, and how a school is found by its code."""

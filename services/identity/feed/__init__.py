"""The access feed: facts about people in the order in which they came true, for the copies that other services keep."""

"""Translation: one text per language among the readers, made in the background and handed to the owner of the text."""

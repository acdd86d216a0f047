"""What sibling services ask about a message: the content contract that every owner of content answers."""

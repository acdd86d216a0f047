"""Messages that wait for their hour: told to their author, withdrawn by them, released in order (POL-5, MSG-5)."""

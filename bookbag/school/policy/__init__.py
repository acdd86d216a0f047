"""A school's rules: the document they are written in (POL-2), and what follows from them for a person at an instant."""

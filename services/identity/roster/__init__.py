"""The roster: schools, people, roles, classes, seats and the links between pupils and the adults of their families."""

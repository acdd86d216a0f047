"""The office's and the leaders' hand on who belongs together: ending a guardianship."""

"""The office's and the leaders' hand on who may come in: ending a guardianship, suspending a guardian, letting them back."""

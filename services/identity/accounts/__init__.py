"""Accounts: how a person of any school signs in, stays signed in, and stops being signed in."""

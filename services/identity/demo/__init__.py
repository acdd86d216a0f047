"""The demo school: invented people to click through on one machine, and sign-ins without a password there and nowhere else."""

from services.identity.demo.actions import people, seed
from services.identity.demo.cast import PASSWORD

__all__ = ["PASSWORD", "people", "seed"]

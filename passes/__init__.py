"""Passes, one file each. `axir/passes` links here."""

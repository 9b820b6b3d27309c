"""Readers of foreign model formats. `axir/frontends` links here."""

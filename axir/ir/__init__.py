"""What every level of the IR shares: diagnostics, locations, text, constants, context."""

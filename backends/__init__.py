"""Writers for devices and foreign formats. `axir/backends` links here."""

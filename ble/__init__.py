"""The radio: scanning, links, drivers and simulated glasses. Knows nothing of the vault, of sharing, or of the screen."""

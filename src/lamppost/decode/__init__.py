"""From packets to frames."""

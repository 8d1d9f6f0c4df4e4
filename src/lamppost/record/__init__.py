"""From packets to fragments to segments on the disk."""

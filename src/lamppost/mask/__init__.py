"""From frames and detections to masked frames: the one choke point."""

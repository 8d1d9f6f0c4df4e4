"""From detections to tracks, in memory only."""

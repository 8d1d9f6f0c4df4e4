"""What was recorded, masked, for who watches it later: playlists, thumbnails, clips."""

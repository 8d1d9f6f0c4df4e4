"""Where heads, faces, persons and vehicles are in the clips that leaks are counted in; no picture, only boxes."""

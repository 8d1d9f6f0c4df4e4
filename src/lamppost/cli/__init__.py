"""Commands: read the settings, build the objects, print what happened."""

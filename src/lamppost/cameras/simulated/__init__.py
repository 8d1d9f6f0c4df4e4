"""A camera that is not there: speaks as one does, for tests and for trying Lamppost without hardware."""

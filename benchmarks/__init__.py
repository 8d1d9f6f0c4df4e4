"""One file for each figure that we publish, each against a peer in the same run."""

"""Where the stages meet: one camera's life, and the processes that live it."""

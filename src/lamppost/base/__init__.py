"""The ground everything stands on: clocks, errors, durable files, ids, logging."""

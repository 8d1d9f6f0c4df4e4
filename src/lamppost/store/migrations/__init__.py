"""How the index came to be what `schema.py` says, step by step; run from code, see `index_file.migrate`."""

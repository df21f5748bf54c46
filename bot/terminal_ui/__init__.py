"""A chat in the terminal: a front-end like any other."""

"""A chat in the terminal, as a front-end: typed lines become calls, replies become text. Decides no answer itself."""

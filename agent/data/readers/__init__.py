"""An uploaded file becomes raw rows; its content decides how it is read, not its name. Judges no row."""

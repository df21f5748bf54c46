"""From an uploaded file to rows as they lie in it, by content and not by name."""

"""The GPU machine's side: people, files, jobs, the queue, and the children that do the work."""

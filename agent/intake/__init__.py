"""Files are inspected and planned before anything runs. Starts no job."""

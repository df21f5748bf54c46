"""What `hearth-agent` does beside serving, at the GPU machine alone: works beside a running agent, and without."""

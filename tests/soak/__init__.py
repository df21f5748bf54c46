"""Long campaigns of kills and full disks: `python -m tests.soak`. pytest collects none of these files by itself."""

"""From a call to its answer: which command, for whom, how often, and what is said when it cannot be. No platform."""

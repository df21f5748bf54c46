"""What each message shows, of what the agent says: pure, and the same in every chat."""

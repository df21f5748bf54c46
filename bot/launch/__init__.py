"""What a start on one machine needs beside the bot: an agent, the first owner, a log without secrets."""

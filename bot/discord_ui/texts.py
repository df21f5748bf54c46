"""What only Discord makes us say. Pure."""

NOT_LET_IN = (
    "Discord does not accept DISCORD_TOKEN: it is mistyped, or was reset. "
    "The developer portal makes a new one under Bot, Reset Token. Discord is not served."
)
CANNOT_WRITE = (
    "I may not write in this channel, so you would not see how it goes. "
    "I need the permissions View Channel, Send Messages and Attach Files here."
)
NOWHERE = "I cannot work in this kind of channel. Ask me in a text channel, or write to me directly."
GONE = "That file is not in the chat any more. Send it once more."
EXPIRED = "Discord's link to that file has expired. Send it once more."
NO_FILE = "There is no file on that message. Take one that a JSONL, JSON or CSV file is attached to."
NOT_ATTACHED = "Its files did not get through."

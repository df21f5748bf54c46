"""What only Discord makes us say. Pure."""

from shared.language import N_

NOT_LET_IN = N_(
    "Discord does not accept DISCORD_TOKEN: it is mistyped, or was reset. The developer "
    "portal makes a new one under Bot, Reset Token. Discord is not served."
)
NO_CONTENT_INTENT = N_(
    "Discord does not let me read what is said in threads: switch on Message Content Intent in the Developer Portal, "
    "under Bot, or unset HEARTH_DISCORD_READ_MESSAGES. I go on without it, and hear there what names me."
)
CANNOT_WRITE = N_("I may not write in this channel, so you would not see how it goes. I lack here: {permissions}.")
NOWHERE = N_("I cannot work in this kind of channel. Ask me in a text channel, or write to me directly.")
GONE = N_("That file is not in the chat any more. Send it once more.")
EXPIRED = N_("Discord's link to that file has expired. Send it once more.")
NO_FILE = N_("There is no file on that message. Take one that a dataset is attached to.")
NOT_ATTACHED = N_("Its files did not get through.")
MAY_NOT_ATTACH = N_("I may not attach files here: give me the permission Attach Files.")
FILES_DIRECT = N_("I may not attach files here, so I sent them to you directly.")
VIEW, SEND, SEND_IN_THREADS = N_("View Channel"), N_("Send Messages"), N_("Send Messages in Threads")  # Discord's names

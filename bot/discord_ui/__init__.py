"""Discord as a front-end, on discord.py: interactions become calls, replies become messages.

Decides no answer itself.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # for voice, the library imports a module that Python drops
    import discord

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # we do not speak; no line in the log for it

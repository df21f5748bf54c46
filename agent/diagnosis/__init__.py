"""A run's loss curve and figures become plain advice, by an ordered table of rules.

Pure: reads no file, asks no model.
"""

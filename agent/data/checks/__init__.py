"""What is wrong with a dataset: one pass that counts, then a table of rules that turns the counts into findings.

Parses no file.
"""

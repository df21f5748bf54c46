"""Datasets: an untrusted file becomes rows of chat, and findings about them.

Never changes the file and runs nothing in it.
"""

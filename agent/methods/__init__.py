"""The ways to train, one record each: what rows a way takes, its trainer, and how good a model is by it.

A room of facts: it imports no trainer, and nothing outside it branches on a method's name.
"""

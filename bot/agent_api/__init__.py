"""Requests to the agent over HTTP: its routes as methods, uploads, server-sent events. Shows nothing to anyone."""

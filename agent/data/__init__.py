"""Datasets: from a file nobody trusts to rows of chat, and what is wrong with them."""

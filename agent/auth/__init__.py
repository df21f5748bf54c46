"""Who may do what: keys and their scopes, people and their roles, pairing, signed links.

Knows neither the database nor HTTP.
"""

"""Bridges from telephony to a daemon: two telephone legs become one interpreted call.

What they share is here; each protocol has a package of its own.
"""

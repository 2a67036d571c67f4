"""Asterisk's AudioSocket: each leg of a call is a TCP connection."""

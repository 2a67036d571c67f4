"""Twilio Media Streams: each leg of a call is a WebSocket."""

"""The commands of `python -m interpretd_client`."""

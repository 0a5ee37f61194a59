"""Channels that a network does not have but that its folding wants: 37 of them share out over cycles as 40."""

"""Lets the hub be found on the network by name: multicast DNS (RFC 6762) and DNS-SD (RFC 6763).

It announces the hub with its own host name, follows its addresses, and sees other hubs. Nothing here is trusted:
whoever is on the network can announce anything, so a phone compares the key that it scanned.
"""

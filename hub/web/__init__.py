"""What the hub shows on the network: the phones' RPC, its health, and a page for people."""

"""What an organisation may know of its hubs from afar: samples of their health, and when these are told."""

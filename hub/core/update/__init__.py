"""Updates of the whole box: two systems on one card, of which one is on trial until it has proven itself."""

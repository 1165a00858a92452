"""The channel `telegram`: cards with buttons to people and groups, changed in place as orders move on."""

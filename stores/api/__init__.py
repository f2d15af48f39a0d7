"""The door for store systems: order sync and look-up over REST, and what every REST door of the hub shares."""

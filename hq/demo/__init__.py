"""A whole chain on one machine: the supervisor, the chain and the tour."""

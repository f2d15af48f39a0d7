"""Each guard of the hub taken away, one at a time: the tests must notice."""

"""The same protocol over rows in memory: the hub's own decisions and table of moves, at hundreds of schedules a second."""

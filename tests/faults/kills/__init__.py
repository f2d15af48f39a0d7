"""The hub's real processes while others kill, stop and cut: 20 tills keep a history, the simulator's own log judges it."""

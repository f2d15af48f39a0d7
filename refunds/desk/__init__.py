"""The door for cashiers: server-rendered pages."""

"""The path money walks; imports stores."""

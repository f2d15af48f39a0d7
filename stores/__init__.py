"""The ground: what a store is and what it holds; imports nothing of ours."""

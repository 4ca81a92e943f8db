"""A photo as a place: which part of it the clip shows, its depth, and what a move will show of it."""

"""The page: what is there, who hears what, and how it reaches the browser."""

"""Files of weights, from the Hub and on disk: where they are, their licences, and whether they are intact."""

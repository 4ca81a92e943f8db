"""Files of weights, from the Hub and on disk: which, whose, on what terms, and whether they are what they claim."""

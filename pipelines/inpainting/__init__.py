"""What was never seen: tokens, colours and depth for the holes of a readout, made from what surrounds them."""

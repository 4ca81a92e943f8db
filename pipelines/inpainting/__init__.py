"""What was never seen: tokens and depth for the holes of a readout, made from what surrounds them."""

"""Generated places with exact colour, depth and pose: what the weights were trained on and are measured with."""

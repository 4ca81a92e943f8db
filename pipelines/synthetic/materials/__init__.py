"""Textures of the scene generator: square images, drawn by seed or read from a folder, mip-mapped in one bank.

Everything a scene shows is one of these images: planks, labels, shop fronts, skies, and cut-outs whose alpha shapes
leaves, railings or people. Baking them once keeps shading a single gather per pixel, whatever the material.
"""

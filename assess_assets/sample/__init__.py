"""The synthetic sample: 3280 made-up messages that reproduce published statistics of the real ones.

Nobody's answers are in it. Import the submodules; `assess_assets.sample.sample` writes the sample,
`assess_assets.sample.messy` a small delivery with known defects.
"""

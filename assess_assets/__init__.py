"""assess_assets: assessment attempts from raw messages to reports, per customer."""

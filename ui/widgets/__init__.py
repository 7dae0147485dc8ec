"""Small parts used by several pages. They know tokens and words, never services."""

"""Item models: rows for views, and words for screen readers."""

"""One file a page. Pages await the services and show what they say; they decide nothing themselves."""

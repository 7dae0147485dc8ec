"""Taking in files that no pair of glasses delivers itself: exported, copied or synchronised captures, from folders, phones and archives."""

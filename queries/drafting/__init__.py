"""From the letter of a requester to a draft of a request file."""

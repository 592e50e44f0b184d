"""From messages to what they ask for, with every violation of the contract at once."""

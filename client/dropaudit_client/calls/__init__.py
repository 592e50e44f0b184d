"""The methods of the clients, by what they are about; those of the synchronous one are generated."""

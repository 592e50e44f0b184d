"""The methods of the asynchronous client; those of the synchronous one are generated from them."""

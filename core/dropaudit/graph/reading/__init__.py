"""Reads models: untrusted bytes to a graph whose scopes, constants and signature are known."""

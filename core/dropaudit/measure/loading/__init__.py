"""From content to what can be measured."""

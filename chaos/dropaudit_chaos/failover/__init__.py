"""The master of Redis is killed while clients submit and workers audit, and Sentinels let a replica take its place."""

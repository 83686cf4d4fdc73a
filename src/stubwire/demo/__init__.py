"""A GitHub client and a small GitHub-shaped server to try it on: `python -m stubwire.demo`."""

"""Plugins: what is installed on a client with `plugins=[...]` or `client.plugin(...)`."""

from stubwire.plugins.logger import LoggerPlugin

__all__ = ["LoggerPlugin"]

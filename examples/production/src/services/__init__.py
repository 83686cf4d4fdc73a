"""What the service does; a service is given the clients it needs."""

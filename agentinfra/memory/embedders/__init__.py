"""What turns texts into vectors on this machine: no network, no server."""

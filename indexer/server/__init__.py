"""The server: its address, the connection to it, and what its errors mean."""

"""The embedded server: a real Elasticsearch core, fetched once, on this machine only.

Maven Central has the server core as a zip, and PyPI a Java to run it. It listens on the loopback
interface only, with security on and a random password, and goes on running after the command that
started it. Everything about one server is in one home folder:

    server/VERSION/   the distribution with its Java     config/, data/, logs/, tmp/
    backups/          its snapshots                      password, server.lock, start.log
    server.json       the running process
"""

"""The server-to-server API: the vendor's own programs report seats, open the portal, and settle invoices.

A file for each resource. A handler reads what was sent, calls one service, and tells what came of it; what is
refused becomes a problem (RFC 9457). Keys and their scopes are in `keys`, what all handlers share in `desk`.
"""

"""Seatport: the backend behind a SaaS customer's billing page, for products sold by the seat."""

"""The tables' history: one revision for each change of `app.store.tables`, applied by `seatport migrate`."""

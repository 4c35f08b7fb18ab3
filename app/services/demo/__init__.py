"""The demo: an invented seller, three invented customers, and their past, lived through the services.

Nothing is inserted: the clock is set back, and what happens goes through the same verbs as in real life, with
every renewal at its own instant. The same day gives the same past, but for the ids.

    calendar   days of a customer, counted back from today
    diary      what happens when: acme, globex, initech
    stage      plays a diary through the services
    past       all of it together, once in each database
    crowd      many more customers whose renewal is due, for load
    summary    what a customer has now
"""

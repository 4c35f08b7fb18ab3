"""THE TYPES: GraphQL and HTTP. Translate, call a service, translate back; nothing is decided here.

How a request comes in:

    http        what every response has in common      media     which JSON a client sends and wants
    auth        bearer tokens → the actor              limits    how much one operation may ask for
    endpoint    POST /graphql                          operations  parse and validate, once per document
    errors      what a client learns of a failure      scalars · ids · pages · money   the common types
    files       GET of document PDFs by signed links   explorer · health   the pages around it
"""

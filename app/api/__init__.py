"""THE TYPES: GraphQL and HTTP. Translate, call a service, translate back; nothing is decided here.

How a request comes in:

    http        what every response has in common      media     which JSON a client sends and wants
    auth        bearer tokens → the actor              limits    how much one operation may ask for
    endpoint    POST /graphql                          operations  parse and validate, once per document
    registry    the stored operations, by their ids    cost        what an operation may cost, from the schema
    allowances  how much a deployment allows           rates       how much a member may spend in a minute
    errors      what a client learns of a failure      scalars · ids · pages · money   the common types
    files       GET of document PDFs by signed links   explorer · health   the pages around it

What it finds there, from the roots to the leaves:

    schema      Query, Mutation, and the text of it    viewer · customers · plans     the roots
    changes     the mutations                          inputs · quotes · refusals     what they take and give
    subscriptions · seats · events · invoices          the lists of a customer
    ledger      events, lines and documents            lines · documents · node       what those share
    reading     reads of one request, in waves         loaders · context              what they ask, and share
    summaries   numbers in words                       enums · connections            the common types, too
"""

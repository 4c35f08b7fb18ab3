"""The pages: what a document says becomes words, the words become HTML, the HTML becomes a PDF.

`facts` are numbers and dates of one document; `compose` puts them into the customer's words once (with
`wording` and `addresses`), when the document is finalised; the resulting `view` is strings only and is
stored. From then on the page is made from the stored view alone: `html` fills a template whose version the
view names, `pdf` draws it, and `renderer` does that in a process of its own, so that nothing that happens
there reaches the server.
"""

"""The operations of the service, one module per resource: each checks a request and answers it."""

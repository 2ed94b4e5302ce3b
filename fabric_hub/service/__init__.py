"""The REST service: typed, scoped, documented as OpenAPI. A service that the hub manages."""

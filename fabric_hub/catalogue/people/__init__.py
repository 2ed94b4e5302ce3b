"""People in the catalogue service: who somebody is by their identities, their name at the hub, their account."""

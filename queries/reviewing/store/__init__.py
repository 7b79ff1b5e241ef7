"""The store of reviews: a database to which decisions are added and in which none is changed."""

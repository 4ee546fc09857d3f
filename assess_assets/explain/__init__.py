"""What a number of an aggregate is made from, read from the customer's own tables."""

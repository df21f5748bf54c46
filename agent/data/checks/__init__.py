"""What is wrong with a dataset: the rows looked at once, and a table of rules on what was seen."""

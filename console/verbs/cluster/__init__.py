"""cluster.*: the house looked at, built, repaired in part, switched off and on."""

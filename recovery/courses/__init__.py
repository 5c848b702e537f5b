"""The courses of the verbs beside `dr.restore`: what each is made of, in the order a person would tell it."""

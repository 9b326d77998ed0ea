"""The measures of the wide world's model; the shipped one is measured by `evaluation.obedience` and `evaluation.unseen`."""

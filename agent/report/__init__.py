"""What a person keeps of a run: the loss plot, the closing report, the report on a dataset.

Trains nothing and advises nothing.
"""

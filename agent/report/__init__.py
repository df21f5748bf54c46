"""What a person keeps of a run: the loss plot and the closing report."""

"""What a person types, read and written back: options, times, mappings, figures. Pure: knows no agent and no chat."""

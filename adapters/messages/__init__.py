"""Messages to people, through what the settings name."""

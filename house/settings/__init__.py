"""blackstart.yaml: its sections as types, the small languages in them, and every problem told in words of ours."""

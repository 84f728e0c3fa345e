"""The console's main screen and the small ones that ask something."""

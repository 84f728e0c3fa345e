"""The console's main screen and its dialogs."""

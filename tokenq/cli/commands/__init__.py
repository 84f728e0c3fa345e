"""One module per verb (a function ``command``) or noun (a Typer ``app``); ``menu`` lists them."""

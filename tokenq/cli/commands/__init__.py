"""One file per verb (a function named ``command``) or noun (a Typer named ``app``); ``menu`` lists them."""

"""QR codes as modules, by ``segno`` if it is installed."""


def modules_of(content: str, most: int) -> list[list[bool]] | None:
    """Return a QR code's modules, dark ones true: with more redundancy, if it has at most ``most`` a side, or less.

    Empty if it is larger; ``None`` without the library.
    """
    try:
        import segno
    except ModuleNotFoundError:
        return None
    for error in ("m", "l"):
        try:
            symbol = segno.make(content, error=error, micro=False, boost_error=False)
        except segno.DataOverflowError:
            continue
        if int(symbol.symbol_size(border=0)[0]) <= most:
            return [[bool(dark) for dark in row] for row in symbol.matrix]
    return []

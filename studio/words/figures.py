"""Numbers as a reader of each language writes them."""


class Comma(float):
    """A number that is written as Italian writes it: 4,1."""

    def __format__(self, spec: str) -> str:
        return super().__format__(spec).replace(".", ",")


def decimal(language: str, value: float) -> str:
    """'4.1', in Italian '4,1'."""
    return f"{Comma(value) if language == 'it' else value:.1f}"


def size(language: str, num_bytes: float) -> str:
    """'34 MB', '3.4 GB', as disks and networks count."""
    if num_bytes < 999.5e6:
        return f"{num_bytes / 1e6:.0f} MB"
    return f"{decimal(language, num_bytes / 1e9)} GB"


def duration(language: str, seconds: float) -> str:
    """'40 s', '2 min': as exact as an estimate deserves."""
    if seconds < 90:
        step = 1 if seconds < 10 else 5
        return f"{max(1, round(seconds / step) * step)} s"
    return f"{round(seconds / 60)} min"

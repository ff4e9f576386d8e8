# SPDX-License-Identifier: GPL-3.0-or-later
"""The table, and who is best at what, ours included."""

import pathlib

BEGIN, END = "<!-- begin: bench/side-by-side -->", "<!-- end: bench/side-by-side -->"
NOT_INSTALLED = "not installed"


class Row:
    """`values`: a number, or a text in its place, for each side's key; `least`: whether less is
    better; `floor`: what is below it counts as equal, being less than can be told apart."""

    def __init__(self, what, unit, values, least=True, digits=1, floor=0.0):
        self.what, self.unit, self.values = what, unit, values
        self.least, self.digits, self.floor = least, digits, floor

    def cell(self, key):
        value = self.values.get(key, "–")
        return value if isinstance(value, str) else f"{value:.{self.digits}f}"

    def verdict(self, titles):
        """One sentence: who is best, and by how much to us, or from us to the next."""
        numbers = {key: max(value, self.floor) for key, value in self.values.items()
                   if not isinstance(value, str)}
        order = sorted(numbers, key=lambda key: numbers[key] if self.least else -numbers[key])
        if "ours" not in numbers or len(order) < 2:
            return None
        best = numbers[order[0]]
        if numbers["ours"] == best:
            equals = [key for key in order if numbers[key] == best and key != "ours"]
            if equals:
                return f"{self.what}: no difference to {' and '.join(titles[key] for key in equals)}."
            return (f"{self.what}: **loalangd** is best; {titles[order[1]]}, which comes next, "
                    f"{self._factor(numbers[order[1]], best)}.")
        return (f"{self.what}: we lose. **{titles[order[0]]}** is best; loalangd "
                f"{self._factor(numbers['ours'], best)}.")

    def _factor(self, value, best):
        """`value` in terms of the best."""
        if not (best and value):
            return f"has {value:.{self.digits}f} {self.unit} against {best:.{self.digits}f}"
        factor = value / best if self.least else best / value
        return f"{'takes' if self.least else 'does'} {_times(factor, self.least)}"


def _times(factor, least):
    return f"{factor:.2f} times as much" if least else f"1/{factor:.1f} of it"


def table(rows, titles):
    lines = ["| | " + " | ".join(titles.values()) + " |", "|---|" + "---:|" * len(titles)]
    lines += [f"| {row.what}, {row.unit} | " + " | ".join(row.cell(key) for key in titles) + " |"
              for row in rows]
    return "\n".join(lines)


def report(head, rows, titles, notes):
    verdicts = [f"* {sentence}" for sentence in (row.verdict(titles) for row in rows) if sentence]
    return "\n\n".join([head, table(rows, titles), "\n".join(verdicts),
                        "\n".join(f"* {note}" for note in notes)])


def write(path, text):
    """Between the markers; what stands around them is left as it is."""
    file = pathlib.Path(path)
    old = file.read_text(encoding="utf-8") if file.exists() else f"{BEGIN}\n{END}\n"
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no lines “{BEGIN}” and “{END}”")
    file.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")

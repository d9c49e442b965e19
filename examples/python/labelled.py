"""How it feels outside, by day and place: a published formula over arrays with labels, in xarray.

python examples/python/labelled.py
"""

from __future__ import annotations

import xarray

import doralang as dora

# Wind chill in degrees Celsius: Environment Canada, 2001; wind in km/h at 10 m.
CHILL = "wind < 5 || air > 10 ? air : 13.12 + 0.6215*air + (0.3965*air - 11.37) * wind**0.16"


def main() -> None:
    chill = dora.expr(CHILL)
    air = xarray.DataArray(
        [[-12.0, 3.0], [-20.0, 11.0]],
        dims=("day", "place"),
        coords={"day": ["Mon", "Tue"], "place": ["A", "B"]},
    )
    wind = xarray.DataArray([30.0, 2.0], dims="day", coords={"day": ["Mon", "Tue"]})

    felt = chill.over(xarray.Dataset({"air": air, "wind": wind}))
    for day in ("Mon", "Tue"):
        print(day, {place: round(float(felt.sel(day=day, place=place)), 1) for place in ("A", "B")})
    print("coldest:", felt.min("day").round(1).values.tolist())


if __name__ == "__main__":
    main()

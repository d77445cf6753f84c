"""Golden file of docs/expressions.md: what pandas answers for each row of its tables, on a small table with holes.

A text is a text, a time its form in ISO 8601 with microseconds, a duration its microseconds, a missing value null.
"""

import datetime

import numpy as np
import pandas as pd

from common import Area

AREA = Area("frame_expressions")

TABLE = {
    "name": pd.array(["Ada B", "bob", None, " É ", "x-12-y", "", "a,b,c", "Zoë"], "string"),
    "word": pd.array(["b", "a", None, "b", "c", "a", "b", "a"], "string"),
    "word2": pd.array(["abc dE", "Bob", None, "b", "xYz", "", "no", "ab"], "string"),
    "code": pd.array(["a-1", "b-22-x", None, "cc-3", "d-4-5", "-6", "g-7", "h-8"], "string"),
    "digits": pd.array(["2013", "17", None, "5", "1999", "2024", "42", "8"], "string"),
    "x": pd.array([1.5, -2.25, None, 0.0, 7.125, -0.5, 100.0, 3.0], "Float64"),
    "y": pd.array([2.0, 4.0, 1.0, None, 0.5, 8.0, -3.0, 3.0], "Float64"),
    "n": pd.array([3, -1, 7, None, None, 2, 2, 5], "Int64"),
    "k": np.array([1.0, 4.0, 2.0, 8.0, 5.0, 7.0, 0.5, 3.0]),
    "flag": pd.array([True, False, None, True, False, True, True, False], "boolean"),
    "time": pd.to_datetime(pd.Series([
        "2012-02-29 23:59:59.999999", "2013-01-01 00:00:00", None, "2013-06-30 12:30:00", "2014-12-31 06:15:30.5", "2016-01-03 18:00:00",
        "2020-07-01 08:29:59", "1969-12-31 05:00:00.000001",
    ]), format="ISO8601").astype("datetime64[us]"),
    "took": pd.to_timedelta(pd.Series([1.5, 86400.0, None, 0.0, 90061.25, 59.0, 3600.0, 172800.5]), unit="s"),
}

ROWS = {
    # Numbers, comparisons, conditions
    "Series.abs": lambda t: t.x.abs(),
    "Series.add": lambda t: t.x + t.y,
    "Series.sub": lambda t: t.x - t.y,
    "Series.mul": lambda t: t.x * t.y,
    "Series.div": lambda t: t.x / t.y,
    "Series.floordiv": lambda t: t.n // 3,
    "Series.mod": lambda t: t.n % 3,
    "Series.pow": lambda t: t.x ** 2.0,
    "Series.eq": lambda t: t.x == t.y,
    "Series.ne": lambda t: t.x != t.y,
    "Series.lt": lambda t: t.x < t.y,
    "Series.le": lambda t: t.x <= t.y,
    "Series.gt": lambda t: t.x > t.y,
    "Series.ge": lambda t: t.x >= t.y,
    "Series.round": lambda t: t.x.round(1),
    "Series.clip": lambda t: t.x.clip(-1.0, 5.0),
    "np.floor": lambda t: np.floor(t.x),
    "np.ceil": lambda t: np.ceil(t.x),
    "np.sqrt": lambda t: np.sqrt(t.x.clip(0.0, 4.0).round(0)),
    "np.exp": lambda t: np.exp(t.n.astype('Float64') * 0.0),
    "np.sign": lambda t: np.sign(t.n),
    "Series.between": lambda t: t.x.between(0.0, 5.0),
    "Series.isin": lambda t: t.word.isin(['a', 'c']).where(t.word.notna()),
    "isna": lambda t: t.x.isna(),
    "notna": lambda t: t.x.notna(),
    "Series.fillna": lambda t: t.x.fillna(0.0),
    "Series.where": lambda t: t.x.where(t.flag, -1.0),
    "Series.mask": lambda t: t.x.mask(t.flag, -1.0),
    "Series.case_when": lambda t: t.n.case_when([(t.n.fillna(0) > 4, 100), (t.n.fillna(0) < 0, -100)]),
    "Series.replace": lambda t: t.word.replace({'a': 'A', 'b': 'B'}),
    "Series.combine_first": lambda t: t.x.combine_first(t.y),
    "Series.map": lambda t: t.x.map(lambda x: x * 2.0 + 1.0),
    "Series.astype": lambda t: t.n.astype('Float64'),
    "to_numeric": lambda t: pd.to_numeric(t.digits),
    "cut": lambda t: pd.cut(t.x.astype('float64'), [-np.inf, 0.0, 5.0, np.inf], labels=['low', 'middle', 'high']).astype('string'),
    "DataFrame.max(axis=1)": lambda t: t[['x', 'y']].max(axis=1),
    "DataFrame.sum(axis=1)": lambda t: t[['x', 'y']].sum(axis=1),
    "DataFrame.any(axis=1)": lambda t: (t.flag | (t.n > 4)).fillna(True),
    "Index.name": lambda t: t.x,
    # Texts
    "str.lower": lambda t: t.name.str.lower(),
    "str.upper": lambda t: t.name.str.upper(),
    "str.capitalize": lambda t: t.word2.str.capitalize(),
    "str.swapcase": lambda t: t.word2.str.swapcase(),
    "str.title": lambda t: t.word2.str.title(),
    "str.len": lambda t: t.name.str.len(),
    "str.contains": lambda t: t.name.str.contains('[a-c],'),
    "str.startswith": lambda t: t.name.str.startswith('b'),
    "str.endswith": lambda t: t.name.str.endswith('y'),
    "str.match": lambda t: t.name.str.match('[xb]'),
    "str.fullmatch": lambda t: t.name.str.fullmatch('b.b'),
    "str.count": lambda t: t.name.str.count('[,-]'),
    "str.find": lambda t: t.word2.str.find('b'),
    "str.index": lambda t: t.code.str.index('-'),
    "str.rfind": lambda t: t.code.str.rindex('-'),
    "str.extract": lambda t: t.code.str.extract('-([0-9]+)', expand=False),
    "str.findall": lambda t: t.code.str.findall('[0-9]'),
    "str.get": lambda t: t.code.str.get(1),
    "str.slice": lambda t: t.name.str.slice(1, 4),
    "str.slice_replace": lambda t: t.code.str.slice_replace(1, 2, '+'),
    "str.strip": lambda t: t.name.str.strip(),
    "str.lstrip": lambda t: t.name.str.lstrip(),
    "str.rstrip": lambda t: t.name.str.rstrip(),
    "str.removeprefix": lambda t: t.name.str.removeprefix('x-'),
    "str.removesuffix": lambda t: t.name.str.removesuffix('-y'),
    "str.replace": lambda t: t.name.str.replace('[,-]', '+', regex=True),
    "str.translate": lambda t: t.name.str.translate(str.maketrans({'a': '1', 'b': '2'})),
    "str.repeat": lambda t: t.word.str.repeat(3),
    "str.ljust": lambda t: t.name.str.ljust(8, '.'),
    "str.rjust": lambda t: t.name.str.rjust(8, '.'),
    "str.pad": lambda t: t.word.str.pad(3, fillchar='_'),
    "str.center": lambda t: t.word.str.center(5, '*'),
    "str.zfill": lambda t: t.digits.str.zfill(4),
    "str.normalize": lambda t: t.name.str.normalize('NFD'),
    "str.split": lambda t: t.name.str.split(','),
    "str.rsplit": lambda t: t.code.str.rsplit('-', n=1).str.get(0),
    "str.partition": lambda t: t.code.str.partition('-')[2],
    "str.rpartition": lambda t: t.code.str.rpartition('-')[2],
    "str.join": lambda t: t.name.str.split(',').str.join(';'),
    "str.cat": lambda t: t.word.str.cat(t.word2, sep='/'),
    "str.isdigit": lambda t: t.digits.str.isdigit(),
    "str.isalpha": lambda t: t.word2.str.isalpha(),
    "str.isspace": lambda t: t.name.str.isspace(),
    # Dates, times and durations
    "dt.year": lambda t: t.time.dt.year,
    "dt.month": lambda t: t.time.dt.month,
    "dt.day": lambda t: t.time.dt.day,
    "dt.hour": lambda t: t.time.dt.hour,
    "dt.minute": lambda t: t.time.dt.minute,
    "dt.second": lambda t: t.time.dt.second,
    "dt.microsecond": lambda t: t.time.dt.microsecond,
    "dt.nanosecond": lambda t: t.time.dt.nanosecond,
    "dt.date": lambda t: t.time.dt.strftime('%Y-%m-%d'),
    "dt.time": lambda t: t.time.dt.strftime('%H:%M:%S.%f'),
    "dt.weekday": lambda t: t.time.dt.day_of_week,
    "dt.dayofyear": lambda t: t.time.dt.day_of_year,
    "dt.quarter": lambda t: t.time.dt.quarter,
    "dt.week": lambda t: t.time.dt.isocalendar().week,
    "dt.isocalendar": lambda t: t.time.dt.isocalendar().year,
    "dt.days_in_month": lambda t: t.time.dt.days_in_month,
    "dt.is_leap_year": lambda t: t.time.dt.is_leap_year.where(t.time.notna()),
    "dt.floor": lambda t: t.time.dt.floor('h'),
    "dt.ceil": lambda t: t.time.dt.ceil('h'),
    "dt.round": lambda t: t.time.dt.round('D'),
    "dt.normalize": lambda t: t.time.dt.normalize(),
    "dt.strftime": lambda t: t.time.dt.strftime('%d.%m.%y'),
    "dt.day_name": lambda t: t.time.dt.day_name(),
    "dt.month_name": lambda t: t.time.dt.month_name(),
    "dt.is_month_start": lambda t: t.time.dt.is_month_start.where(t.time.notna()),
    "dt.is_month_end": lambda t: t.time.dt.is_month_end.where(t.time.notna()),
    "dt.tz_localize": lambda t: t.time.dt.tz_localize('Europe/Paris').dt.tz_convert('UTC').dt.tz_localize(None),
    "dt.tz_convert": lambda t: t.time.dt.tz_localize('UTC').dt.tz_convert('Asia/Tokyo').dt.hour,
    "dt.total_seconds": lambda t: t.took.dt.total_seconds(),
    "dt.days": lambda t: t.took.dt.days,
    "to_datetime": lambda t: pd.to_datetime(t.digits.str.zfill(4) + '-03-01'),
    "to_timedelta": lambda t: pd.to_timedelta(t.n, unit='s'),
    "DateOffset": lambda t: t.time + pd.DateOffset(months=1),
    "Timestamp.to_period": lambda t: t.time.dt.to_period('M').dt.start_time,
    "DataFrame.between_time": lambda t: ((t.time.dt.hour >= 6) & (t.time.dt.hour < 18)).where(t.time.notna()),
    # Lists, structs, categories
    "list.len": lambda t: t.name.str.split(',').str.len(),
    "list[0]": lambda t: t.name.str.split(',').str.get(0),
    "set.union": lambda t: t.code.str.split('-').map(lambda v: sorted(set(v) | {'a'}), na_action='ignore'),
    "struct.field": lambda t: t.x,
    "cat.categories": lambda t: t.word.astype('category').astype('string'),
    # Other rows of the frame
    "Series.shift": lambda t: t.x.shift(2),
    "Series.diff": lambda t: t.x.diff(),
    "Series.pct_change": lambda t: t.n.astype('Float64').pct_change(),
    "Series.ffill(limit=1)": lambda t: t.n.ffill(limit=1),
    "Series.bfill(limit=1)": lambda t: t.n.bfill(limit=1),
    "rolling.sum": lambda t: t.k.rolling(3).sum(),
    "rolling.mean": lambda t: t.k.rolling(3).mean(),
    "rolling.min": lambda t: t.k.rolling(3).min(),
    "rolling.max": lambda t: t.k.rolling(3).max(),
    "rolling.median": lambda t: t.k.rolling(3).median(),
    "rolling.std": lambda t: t.k.rolling(3).std(),
    "rolling.var": lambda t: t.k.rolling(3).var(),
    "rolling.quantile": lambda t: t.k.rolling(3).quantile(0.25),
    "Rolling(center=True)": lambda t: t.k.rolling(3, center=True, min_periods=1).sum(),
    "groupby.transform": lambda t: t.x - t.groupby("word", dropna=False).x.transform("mean"),
    "DataFrame.div(df.sum())": lambda t: t.n / t.n.sum(),
    "groupby.cumsum": lambda t: t.groupby("word", dropna=False).k.cumsum(),
    "groupby.shift": lambda t: t.groupby("word", dropna=False).k.shift(1),
    "groupby.rank": lambda t: t.groupby("word", dropna=False).k.rank(method="dense"),
    "groupby.ffill": lambda t: t.groupby("word", dropna=False).n.ffill(),
    "groupby.bfill": lambda t: t.groupby("word", dropna=False).n.bfill(),
    "groupby.pct_change": lambda t: t.groupby("word", dropna=False).k.pct_change(),
    "Series.duplicated": lambda t: t.word.duplicated().where(t.word.notna(), False),
    "Series.fillna(Series.mean())": lambda t: t.x.fillna(t.x.mean()),
}


def plain(value):
    """A value as JSON says it."""
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if pd.isna(value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (pd.Timedelta, datetime.timedelta)):
        return pd.Timedelta(value) // pd.Timedelta(microseconds=1)
    if isinstance(value, (pd.Timestamp, datetime.datetime)):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, (int, np.integer)):
        return int(value)
    return float(value) if isinstance(value, (float, np.floating)) else str(value)


table = pd.DataFrame(TABLE)
AREA.json("rows.json", {name: [plain(value) for value in answer(table).tolist()] for name, answer in ROWS.items()})
AREA.finish()
